"""Version 2 of the SageMaker SDK: an endpoint that target tracking lets grow under load, and a plot of it."""

import re
from pathlib import Path

import pytest

from tests.clients.programs import EXAMPLES, client_program, run
from tests.platform import Platform

pytestmark = [pytest.mark.clients, pytest.mark.slow]


def test_it_grows_under_load_without_a_failed_call(platform: Platform, tmp_path: Path) -> None:
    program = str(EXAMPLES / "autoscaling_v2" / "scale.py")
    printed = run([client_program("v2", "python"), program], platform.program_environment(), tmp_path)
    before, after = re.search(r"instances: (\d) before the step, (\d) in the end", printed).groups()
    assert before == "1"
    assert int(after) >= 3
    assert re.search(r"calls: \d+ answered, 0 failed", printed)
    assert (tmp_path / "scaling.png").read_bytes().startswith(b"\x89PNG")
