"""Version 2 of the SageMaker SDK, from `fit` to `delete_endpoint`, and the addresses that it hard-codes."""

import io
import re
import tarfile
from pathlib import Path

import pytest

from tests.clients.programs import (
    EXAMPLES,
    await_deletion,
    clary_run,
    client_program,
    errors_in_rings,
    run,
    without_aws,
)
from tests.platform import Platform

BUCKET = "sagemaker-us-east-1-123456789012"
DEFAULTS = """
import sagemaker
session = sagemaker.Session()
print("bucket", session.default_bucket())
print("role", sagemaker.get_execution_role(session))
"""
ISOLATED = """
import sagemaker, sys
from sagemaker.sklearn import SKLearn
estimator = SKLearn(
    entry_point=sys.argv[1], framework_version="1.2-1", role="arn:aws:iam::123456789012:role/SageMakerRole",
    instance_type="ml.m5.large", enable_network_isolation=True,
)
estimator.fit()
"""

pytestmark = pytest.mark.clients


def test_it_trains_twice_deploys_and_predicts_in_three_formats(platform: Platform, tmp_path: Path) -> None:
    program = str(EXAMPLES / "sklearn_v2" / "train_and_deploy.py")
    printed = run([client_program("v2", "python"), program], platform.program_environment(), tmp_path)

    assert re.search(r"rows=3342 oob_r2=0\.[45]", printed), "the job's log was not streamed"
    csv_error, json_error, npy_error = errors_in_rings(printed)
    assert csv_error == json_error == npy_error < 2.4

    sagemaker = platform.client("sagemaker")
    jobs = sagemaker.list_training_jobs(NameContains="sklearn-abalone")["TrainingJobSummaries"]
    assert [job["TrainingJobStatus"] for job in jobs] == ["Completed", "Completed"]
    key = f"{jobs[0]['TrainingJobName']}/output/model.tar.gz"
    packed = platform.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        assert [Path(name).name for name in archive.getnames() if name != "."] == ["model.joblib"]
    await_deletion(platform, "sklearn-abalone")
    assert sagemaker.list_endpoint_configs(NameContains="sklearn-abalone")["EndpointConfigs"] == []


def test_clary_run_answers_the_hard_coded_sts_address(platform: Platform, tmp_path: Path) -> None:
    program = tmp_path / "defaults.py"
    program.write_text(DEFAULTS)
    printed = run([*clary_run(platform), client_program("v2", "python"), str(program)], without_aws(), tmp_path)

    assert f"bucket {BUCKET}\n" in printed
    assert re.search(r"role arn:aws:iam::123456789012:role/\S+", printed)


def test_a_script_trains_without_a_network(platform: Platform, tmp_path: Path) -> None:
    script = tmp_path / "lonely.py"
    script.write_text("import socket\nprint('interfaces', [name for _, name in socket.if_nameindex()])\n")
    program = tmp_path / "program.py"
    program.write_text(ISOLATED)
    printed = run([client_program("v2", "python"), str(program), str(script)], platform.program_environment(), tmp_path)
    assert "interfaces ['lo']" in printed
