"""The AWS CLI: version 1 from its package, version 2 where the machine has it."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.clients.programs import client_program, run
from tests.platform import Platform

SYSTEM_CLI = "/usr/bin/aws"

pytestmark = pytest.mark.clients


def cli_v2() -> str:
    if not Path(SYSTEM_CLI).exists():
        pytest.skip("no AWS CLI v2: apt-get install awscli")
    version = subprocess.run([SYSTEM_CLI, "--version"], capture_output=True, text=True).stdout
    if not version.startswith("aws-cli/2"):
        pytest.skip(f"{SYSTEM_CLI} is {version.split()[0]}, not version 2")
    return SYSTEM_CLI


@pytest.fixture(params=["1", "2"])
def aws(request: pytest.FixtureRequest) -> str:
    return cli_v2() if request.param == "2" else client_program("v2", "aws")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Files of a few sizes and awkward names, one of them large enough for a multipart upload."""
    root = tmp_path / "tree"
    (root / "deep" / "er").mkdir(parents=True)
    (root / "empty").touch()
    (root / "with space + plus.txt").write_text("spaces\n")
    (root / "deep" / "er" / "ünïcode.csv").write_text("1,2\n3,4\n")
    (root / "large.bin").write_bytes(bytes(range(256)) * (9 * 4096))
    return root


def contents(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_list_training_jobs(aws: str, platform: Platform, finished_job: str, tmp_path: Path) -> None:
    command = [aws, "sagemaker", "list-training-jobs", "--name-contains", finished_job, "--output", "json"]
    printed = json.loads(run(command, platform.program_environment(), tmp_path))

    [job] = printed["TrainingJobSummaries"]
    assert job["TrainingJobName"] == finished_job
    assert job["TrainingJobStatus"] == "Completed"


def test_wait_for_a_training_job(aws: str, platform: Platform, finished_job: str, tmp_path: Path) -> None:
    waited = ["sagemaker", "wait", "training-job-completed-or-stopped", "--training-job-name", finished_job]
    assert run([aws, *waited], platform.program_environment(), tmp_path) == ""


def test_cp_recursive_there_and_back(
    aws: str, platform: Platform, tree: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    environment = platform.program_environment()
    bucket = f"s3://cli-cp-{request.node.callspec.params['aws']}"
    run([aws, "s3", "mb", bucket], environment, tmp_path)
    run([aws, "s3", "cp", "--recursive", str(tree), f"{bucket}/a b/"], environment, tmp_path)
    run([aws, "s3", "cp", "--recursive", f"{bucket}/a b/", str(tmp_path / "back")], environment, tmp_path)

    assert contents(tmp_path / "back") == contents(tree)


def test_sync_copies_what_changed_and_deletes_what_is_gone(
    aws: str, platform: Platform, tree: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    environment = platform.program_environment()
    bucket = f"s3://cli-sync-{request.node.callspec.params['aws']}"
    run([aws, "s3", "mb", bucket], environment, tmp_path)
    run([aws, "s3", "sync", str(tree), bucket], environment, tmp_path)
    assert run([aws, "s3", "sync", str(tree), bucket], environment, tmp_path) == ""

    (tree / "with space + plus.txt").write_text("changed, and longer\n")
    (tree / "empty").unlink()
    printed = run([aws, "s3", "sync", "--delete", str(tree), bucket], environment, tmp_path)
    assert sorted(line.split(":")[0].split()[-1] for line in printed.splitlines() if line.strip()) == [
        "delete",
        "upload",
    ]

    run([aws, "s3", "sync", bucket, str(tmp_path / "back")], environment, tmp_path)
    assert contents(tmp_path / "back") == contents(tree)


def test_logs_tail(platform: Platform, finished_job: str, tmp_path: Path) -> None:
    group, prefix = "/aws/sagemaker/TrainingJobs", f"{finished_job}/"
    command = [cli_v2(), "logs", "tail", group, "--log-stream-name-prefix", prefix, "--since", "1h"]
    printed = run([*command, "--format", "short"], platform.program_environment(), tmp_path)

    assert "train-rmse" in printed
