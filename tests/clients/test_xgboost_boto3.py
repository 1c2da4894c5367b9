"""The built-in XGBoost algorithm from data to prediction, with boto3 alone."""

import re
import sys
from pathlib import Path

import pytest

from tests.clients.programs import EXAMPLES, await_deletion, clary_run, errors_in_rings, run, without_aws
from tests.platform import Platform

PROGRAM = str(EXAMPLES / "xgboost_boto3" / "train_and_deploy.py")

pytestmark = pytest.mark.clients


@pytest.mark.parametrize("data_format", ["csv", "libsvm"])
def test_it_trains_deploys_and_predicts(platform: Platform, tmp_path: Path, data_format: str) -> None:
    printed = run([sys.executable, PROGRAM, "--format", data_format], platform.program_environment(), tmp_path)

    assert errors_in_rings(printed)[-1] < 2.5
    assert "validation:rmse = " in printed
    sagemaker = platform.client("sagemaker")
    [name] = re.findall(r"training +(\S+) on 2900 abalones", printed)
    described = sagemaker.describe_training_job(TrainingJobName=name)
    assert [passage["Status"] for passage in described["SecondaryStatusTransitions"]] == [
        "Starting",
        "Downloading",
        "Training",
        "Uploading",
        "Completed",
    ]
    await_deletion(platform, name)
    assert sagemaker.list_models(NameContains=name)["Models"] == []


def test_clary_run_answers_for_the_real_addresses(platform: Platform, tmp_path: Path) -> None:
    """Nothing tells the program's clients where to go: they call AWS's own hosts, over TLS."""
    environment = {**without_aws(), "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}
    printed = run([*clary_run(platform), sys.executable, PROGRAM, "--format", "csv"], environment, tmp_path)

    assert errors_in_rings(printed)[-1] < 2.5
