"""Under `--engine docker`: what own images do in a sandbox they do in containers, and images of elsewhere run too."""

from collections.abc import Iterator

import pytest

from tests.engines.runtimes import IMAGE, Podman, podman
from tests.platform import Platform
from tests.programs import log_lines
from tests.services.sagemaker.test_own_images import (  # noqa: F401 - the same tests, on this module's platform
    built,
    endpoint,
    test_processes,
    test_reads_its_channel_from_pipes,
    test_serves_on_the_port_of_the_contract,
    test_the_requests_entrypoint_and_arguments_replace_its_own,
    test_trains,
    test_transforms_objects,
    train,
    uri,
)

MARK = "/run/.containerenv"
"""A file that Podman puts into each of its containers."""
SCIKIT_LEARN = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"


@pytest.fixture(scope="module")
def runtime() -> Iterator[Podman]:
    with podman() as service:
        yield service


@pytest.fixture(scope="module")
def platform(runtime: Podman, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    started = Platform(tmp_path_factory.mktemp("clary") / "state", "--engine", f"docker+{runtime.address}").up()
    yield started
    started.down()
    assert runtime.containers() == []


def test_an_image_that_the_runtime_has(platform: Platform) -> None:
    """No registry of Clary's knows it."""
    job = train(platform, IMAGE, AlgorithmSpecification=_running(IMAGE, "/usr/bin/python3"))
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert "in the container: True" in log_lines(platform, job["TrainingJobName"])


def test_an_image_that_cannot_be_pulled(platform: Platform) -> None:
    job = train(platform, "localhost:1/none:1")
    assert job["TrainingJobStatus"] == "Failed"
    assert "The image localhost:1/none:1 cannot be pulled" in job["FailureReason"]


def test_a_framework_image_runs_in_its_environment(platform: Platform) -> None:
    job = train(platform, SCIKIT_LEARN, AlgorithmSpecification=_running(SCIKIT_LEARN, "python"))
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert "in the container: False" in log_lines(platform, job["TrainingJobName"])


def _running(image: str, python: str) -> dict[str, object]:
    source = f"import os; print('in the container:', os.path.exists({MARK!r}))"
    return {
        "TrainingImage": image,
        "TrainingInputMode": "File",
        "ContainerEntrypoint": [python, "-c", source],
    }
