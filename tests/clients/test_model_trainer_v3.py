"""Version 3 of the SageMaker SDK: `ModelTrainer` with its driver script, then a deployed endpoint."""

from pathlib import Path

import pytest

from tests.clients.programs import EXAMPLES, client_program, errors_in_rings, run
from tests.platform import Platform

pytestmark = pytest.mark.clients


def test_it_trains_deploys_and_predicts(platform: Platform, tmp_path: Path) -> None:
    program = str(EXAMPLES / "model_trainer_v3" / "train_and_deploy.py")
    printed = run([client_program("v3", "python"), program], platform.program_environment(), tmp_path)

    assert "rows=3341 train_r2=0." in printed, "the job's log was not streamed"
    assert "836 predictions" in printed
    assert errors_in_rings(printed)[-1] < 2.4
    sagemaker = platform.client("sagemaker")
    [job] = sagemaker.list_training_jobs(NameContains="model-trainer-abalone")["TrainingJobSummaries"]
    described = sagemaker.describe_training_job(TrainingJobName=job["TrainingJobName"])
    assert described["TrainingJobStatus"] == "Completed"
    assert described["AlgorithmSpecification"]["ContainerEntrypoint"] == ["/bin/bash"]
    assert described["HyperParameters"] == {"learning-rate": "0.1", "max-iter": "60"}
