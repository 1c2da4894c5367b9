"""Asynchronous inference with version 2 of the SageMaker SDK, from a backlog without an instance to the last answer."""

from pathlib import Path

import pytest

from tests.clients.programs import EXAMPLES, client_program, errors_in_rings, run
from tests.platform import Platform

pytestmark = pytest.mark.clients


def test_batches_wait_for_an_instance_and_are_told_of(platform: Platform, tmp_path: Path) -> None:
    program = str(EXAMPLES / "async_v2" / "score.py")
    printed = run([client_program("v2", "python"), program], platform.program_environment(), tmp_path)
    assert "8 completed" in printed
    assert "wrong Failed ClientError: Received server error (500) from model." in printed
    [error] = errors_in_rings(printed)
    assert error < 2.4
