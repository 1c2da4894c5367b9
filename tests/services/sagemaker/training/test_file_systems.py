"""Training jobs whose data lies on a file system: a directory of this machine under the id of an EFS or FSx."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from pydantic import ValidationError

from clary.settings import Settings
from tests.platform import Platform
from tests.programs import log_lines, run_job, training_request

ID = "fs-0123456789abcdef0"
LIST = """
import os
for name in sorted(os.listdir("/opt/ml/input/data/train")):
    print("found", name, open(f"/opt/ml/input/data/train/{name}").read(), flush=True)
"""
WRITE = "open('/opt/ml/input/data/train/new', 'w').write('by the job')\n"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("shared")
    (directory / "data").mkdir()
    (directory / "data/a.csv").write_text("1,2")
    (directory / "out").symlink_to("/etc")
    (directory / "file").write_text("x")
    return directory


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory, shared: Path) -> Iterator[Platform]:
    state = tmp_path_factory.mktemp("clary") / "state"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLARY_FILE_SYSTEMS", f"{ID}={shared}")
        started = Platform(state).up()
    yield started
    started.down()


def channel(path: str = "/data", mode: str = "ro", name: str = ID) -> dict[str, Any]:
    source = {
        "FileSystemId": name,
        "FileSystemAccessMode": mode,
        "FileSystemType": "EFS",
        "DirectoryPath": path,
    }
    return {"ChannelName": "train", "DataSource": {"FileSystemDataSource": source}}


def run(platform: Platform, script: str, given: dict[str, Any]) -> dict[str, Any]:
    return run_job(platform, script, InputDataConfig=[given])


def test_a_directory_is_the_channel(platform: Platform) -> None:
    job = run(platform, LIST, channel())
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert "found a.csv 1,2" in log_lines(platform, job["TrainingJobName"])
    assert job["InputDataConfig"] == [channel()]


def test_what_is_written_stays_only_where_that_was_asked_for(platform: Platform, shared: Path) -> None:
    job = run(platform, WRITE, channel())
    assert "Read-only file system" in job["FailureReason"]
    assert not (shared / "data/new").exists()
    job = run(platform, WRITE, channel(mode="rw"))
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert (shared / "data/new").read_text() == "by the job"


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (channel(name="fs-00000000"), "file system: fs-00000000, directory path: /data. There is no file system"),
        (channel("/nothing"), "directory path: /nothing. Incorrect mount path or insufficient permissions."),
        (channel("/../.."), "directory path: /../... Incorrect mount path"),
        (channel("/out"), "directory path: /out. Incorrect mount path"),
        (channel("/file"), "directory path: /file. "),
    ],
)
def test_what_cannot_be_mounted_is_told(platform: Platform, given: dict[str, Any], reason: str) -> None:
    job = run(platform, LIST, given)
    assert job["TrainingJobStatus"] == "Failed"
    assert "ClientError: Unable to mount file system: " in job["FailureReason"]
    assert reason in job["FailureReason"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"InputMode": "Pipe"}, "needs InputMode File, not Pipe"),
        ({"DataSource": {}}, "needs either an S3DataSource or a FileSystemDataSource"),
    ],
)
def test_what_makes_no_sense_is_refused(platform: Platform, change: dict[str, Any], message: str) -> None:
    request = training_request(platform, "", InputDataConfig=[{**channel(), **change}])
    with pytest.raises(ClientError, match=message):
        platform.client("sagemaker").create_training_job(**request)


@pytest.mark.parametrize("text", ["fs-1=/a", f"{ID}=relative", f"{ID}=/a,", "/a"])
def test_a_setting_that_cannot_be_read_is_told(text: str) -> None:
    with pytest.raises(ValidationError, match="say fs-0123456789abcdef0=/absolute/path"):
        Settings(file_systems=text)
