"""Version 2 of the SageMaker SDK: an inference pipeline, and many models behind one endpoint."""

from pathlib import Path

import pytest

from tests.clients.programs import EXAMPLES, await_deletion, client_program, errors_in_rings, run
from tests.platform import Platform

pytestmark = [pytest.mark.clients, pytest.mark.slow]


def test_a_preprocessor_and_a_model_are_one_endpoint(platform: Platform, tmp_path: Path) -> None:
    program = str(EXAMPLES / "inference_pipeline_v2" / "train_and_deploy.py")
    printed = run([client_program("v2", "python"), program], platform.program_environment(), tmp_path)
    (error,) = errors_in_rings(printed)
    assert error < 2.4
    await_deletion(platform, "pipeline")


def test_many_models_are_one_endpoint(platform: Platform, tmp_path: Path) -> None:
    program = str(EXAMPLES / "multi_model_v2" / "train_and_deploy.py")
    printed = run([client_program("v2", "python"), program], platform.program_environment(), tmp_path)
    assert "models: females.tar.gz infants.tar.gz males.tar.gz\n" in printed
    errors = errors_in_rings(printed)
    assert len(errors) == 3
    assert max(errors) < 3.2
    await_deletion(platform, "many-abalones")
