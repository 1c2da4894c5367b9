"""Version 2 of the SageMaker SDK: a tuner with early stopping, its analytics, and a plot of them."""

from pathlib import Path

import pytest

from tests.clients.programs import EXAMPLES, client_program, errors_in_rings, run
from tests.platform import Platform

pytestmark = pytest.mark.clients


def test_it_tunes_and_draws_what_became_of_its_jobs(platform: Platform, tmp_path: Path) -> None:
    program = str(EXAMPLES / "tuning_v2" / "tune.py")
    printed = run([client_program("v2", "python"), program], platform.program_environment(), tmp_path)
    (best,) = errors_in_rings(printed)
    assert best < 2.25
    assert (tmp_path / "objective.png").read_bytes().startswith(b"\x89PNG")
    sagemaker = platform.client("sagemaker")
    (job,) = sagemaker.list_hyper_parameter_tuning_jobs(NameContains="abalone")["HyperParameterTuningJobSummaries"]
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    assert job["ObjectiveStatusCounters"]["Succeeded"] == 12
    told = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=job["HyperParameterTuningJobName"])
    assert f"best: {told['BestTrainingJob']['TrainingJobName']}" in printed
