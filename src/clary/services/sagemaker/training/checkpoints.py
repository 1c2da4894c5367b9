"""CheckpointConfig: files that are stored while a job runs, and are there again for an attempt that goes on from them.

All instances share one S3 URI, as on AWS: each gets the files of all when it starts, and of files of the same name the
one that was stored last is kept. Source: "Checkpoints in Amazon SageMaker AI".
"""

import posixpath
from typing import Any

from clary.control.house import House
from clary.instance.spec import Mirror, Source
from clary.services.sagemaker.errors import invalid, not_built
from clary.services.sagemaker.instances.mirrors import mirror, restored

DEFAULT_PATH = "/opt/ml/checkpoints"
ROOT = "/opt/ml/"
TAKEN = ("input", "code")
"""Directories below it that are staged in otherwise."""


def checkpoints_of(house: House, job: dict[str, Any], seconds: float) -> tuple[dict[str, list[Source]], list[Mirror]]:
    """What is staged in for a program to go on from, and where what it writes in `seconds` is stored."""
    if "CheckpointConfig" not in job:
        return {}, []
    directory, uri = _directory(job), job["CheckpointConfig"]["S3Uri"]
    return {directory: restored(house, uri)}, [mirror(house, directory, uri, seconds)]


def check_checkpoints(request: dict[str, Any]) -> None:
    """Raises `ValidationException`."""
    if "CheckpointConfig" not in request:
        return
    path = _directory(request)
    if not path.startswith(ROOT) or path.split("/")[3] in TAKEN:
        raise invalid(
            f"LocalPath of CheckpointConfig is {request['CheckpointConfig']['LocalPath']!r}: it must be a directory "
            f"below {ROOT} that is not the program's input."
        )
    if not request["CheckpointConfig"]["S3Uri"].startswith("s3://"):
        raise not_built("An S3Uri of CheckpointConfig that does not begin with s3://")


def _directory(job: dict[str, Any]) -> str:
    path: str = job["CheckpointConfig"].get("LocalPath", DEFAULT_PATH)
    return posixpath.normpath(path)
