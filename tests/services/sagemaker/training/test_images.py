"""A training job whose image is not here yet, or not to be had in its version: what its user is told."""

from pathlib import Path

import pytest

from tests.engines.packages import scikit_learn_stand_ins
from tests.platform import Platform
from tests.programs import log_lines, run_job

SCRIPT = "import clary.toolkits, sys\nprint('ran in', sys.prefix)"


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without a network and without images, whose index has scikit-learn 1.1.3 alone."""
    variables = scikit_learn_stand_ins(tmp_path / "wheels", "1.1.3")
    places = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "CLARY_ENVIRONMENTS": str(tmp_path / "cache/environments")}
    for name, value in {**variables, **places}.items():
        monkeypatch.setenv(name, value)


def image(tag: str) -> dict[str, str]:
    uri = f"683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:{tag}"
    return {"TrainingImage": uri, "TrainingInputMode": "File"}


@pytest.mark.usefixtures("own_cache")
def test_the_nearest_version_runs_and_the_user_is_told(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    platform: Platform = request.getfixturevalue("own_platform")
    told = "scikit-learn 0.23, which the image sagemaker-scikit-learn:0.23-1-cpu-py3 names, cannot be had for python3."
    for first in (True, False):
        job = run_job(platform, SCRIPT, AlgorithmSpecification=image("0.23-1-cpu-py3"))
        assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
        assert job["AlgorithmSpecification"]["TrainingImage"].endswith("sagemaker-scikit-learn:0.23-1-cpu-py3")
        lines = log_lines(platform, job["TrainingJobName"])
        assert lines[0].startswith(told)
        assert "scikit-learn 1.1.3 runs in its place." in lines[0]
        starting = job["SecondaryStatusTransitions"][0]
        assert starting["Status"] == "Starting"
        said = "Downloading the training image" if first else "Starting the training job"
        assert starting["StatusMessage"] == f"{said}. {lines[0]}"
        assert any(line.startswith("ran in") and str(tmp_path / "cache") in line for line in lines)
        assert any("scikit-learn==1.1.3" in line for line in lines) == first


@pytest.mark.usefixtures("own_cache")
def test_an_image_that_cannot_be_had_fails_the_job(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    platform: Platform = request.getfixturevalue("own_platform")
    next((tmp_path / "wheels").glob("boto3*")).unlink()
    job = run_job(platform, SCRIPT, AlgorithmSpecification=image("1.1-1"))
    assert job["TrainingJobStatus"] == "Failed"
    assert "sagemaker-scikit-learn:1.1-1" in job["FailureReason"]
    assert "boto3" in job["FailureReason"]
    assert "clary images pull sagemaker-scikit-learn:1.1-1" in job["FailureReason"]


def test_a_retired_framework_is_refused_with_what_to_use(platform: Platform) -> None:
    uri = "763104351884.dkr.ecr.us-east-1.amazonaws.com/mxnet-training:1.9.0-cpu-py38"
    job = run_job(platform, SCRIPT, AlgorithmSpecification={"TrainingImage": uri, "TrainingInputMode": "File"})
    assert job["TrainingJobStatus"] == "Failed"
    assert "use PyTorch" in job["FailureReason"]
