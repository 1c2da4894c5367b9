"""Version 2 of the SDK trains a TensorFlow script and deploys what it saved."""

from pathlib import Path

import pytest

from tests.clients.programs import EXAMPLES, await_deletion, client_program, errors_in_rings, run
from tests.platform import Platform

pytestmark = [pytest.mark.clients, pytest.mark.slow]


def test_it_trains_deploys_and_predicts(platform: Platform, tmp_path: Path) -> None:
    program = str(EXAMPLES / "tensorflow_v2" / "train_and_deploy.py")
    printed = run([client_program("v2", "python"), program], platform.program_environment(), tmp_path, 600)
    json_error, csv_error = errors_in_rings(printed)
    assert json_error == pytest.approx(csv_error, abs=1e-3)
    assert json_error < 3
    await_deletion(platform, "tensorflow-inference")
