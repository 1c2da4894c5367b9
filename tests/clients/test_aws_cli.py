"""The AWS CLI: version 1 from its package, version 2 where the machine has it."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.clients.programs import clary_run, client_program, run, without_aws
from tests.platform import Platform

SYSTEM_CLI = "/usr/bin/aws"

pytestmark = pytest.mark.clients


class Cli:
    """One CLI with the environment that leads it to the platform."""

    def __init__(self, command: list[str], environment: dict[str, str], directory: Path) -> None:
        self._command = command
        self._environment = environment
        self._directory = directory

    def __call__(self, *arguments: str) -> str:
        return run([*self._command, *arguments], self._environment, self._directory)


def version_2(platform: Platform, directory: Path) -> Cli:
    """Under `clary run`: the version that Debian has is older than `AWS_ENDPOINT_URL`."""
    if not Path(SYSTEM_CLI).exists():
        pytest.skip("no AWS CLI v2: apt-get install awscli")
    version = subprocess.run([SYSTEM_CLI, "--version"], capture_output=True, text=True).stdout
    if not version.startswith("aws-cli/2"):
        pytest.skip(f"{SYSTEM_CLI} is {version.split()[0]}, not version 2")
    return Cli([*clary_run(platform), SYSTEM_CLI], without_aws(), directory)


@pytest.fixture(params=["1", "2"])
def aws(request: pytest.FixtureRequest, platform: Platform, tmp_path: Path) -> Cli:
    if request.param == "2":
        return version_2(platform, tmp_path)
    return Cli([client_program("v2", "aws")], platform.program_environment(), tmp_path)


@pytest.fixture
def bucket(aws: Cli, request: pytest.FixtureRequest) -> str:
    """A new bucket, as `s3://name`."""
    uri = f"s3://cli-{request.node.originalname.replace('_', '-')[5:40]}-{request.node.callspec.params['aws']}"
    aws("s3", "mb", uri)
    return uri


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


def test_list_training_jobs(aws: Cli, finished_job: str) -> None:
    printed = aws("sagemaker", "list-training-jobs", "--name-contains", finished_job, "--output", "json")

    [job] = json.loads(printed)["TrainingJobSummaries"]
    assert job["TrainingJobName"] == finished_job
    assert job["TrainingJobStatus"] == "Completed"


def test_wait_for_a_training_job(aws: Cli, finished_job: str) -> None:
    waiter = "training-job-completed-or-stopped"
    assert aws("sagemaker", "wait", waiter, "--training-job-name", finished_job) == ""


def test_cp_recursive_there_and_back(aws: Cli, bucket: str, tree: Path, tmp_path: Path) -> None:
    aws("s3", "cp", "--recursive", str(tree), f"{bucket}/a b/")
    aws("s3", "cp", "--recursive", f"{bucket}/a b/", str(tmp_path / "back"))

    assert contents(tmp_path / "back") == contents(tree)


def test_sync_copies_what_changed_and_deletes_what_is_gone(aws: Cli, bucket: str, tree: Path, tmp_path: Path) -> None:
    aws("s3", "sync", str(tree), bucket)
    assert aws("s3", "sync", str(tree), bucket) == ""

    (tree / "with space + plus.txt").write_text("changed, and longer\n")
    (tree / "empty").unlink()
    printed = aws("s3", "sync", "--delete", "--no-progress", str(tree), bucket)
    assert sorted(line.partition(":")[0] for line in printed.splitlines()) == ["delete", "upload"]

    aws("s3", "sync", bucket, str(tmp_path / "back"))
    assert contents(tmp_path / "back") == contents(tree)


def test_logs_tail(platform: Platform, finished_job: str, tmp_path: Path) -> None:
    aws = version_2(platform, tmp_path)
    stream = ["--log-stream-name-prefix", f"{finished_job}/"]
    printed = aws("logs", "tail", "/aws/sagemaker/TrainingJobs", *stream, "--since", "1h", "--format", "short")

    assert "train-rmse" in printed
