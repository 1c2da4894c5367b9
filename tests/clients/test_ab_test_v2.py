"""Version 2 of the SageMaker SDK: two variants compared by their answers, and all traffic moved to the better one."""

from pathlib import Path

import pytest

from tests.clients.programs import EXAMPLES, client_program, errors_in_rings, run
from tests.platform import Platform

pytestmark = pytest.mark.clients


def test_the_better_variant_gets_all_traffic(platform: Platform, tmp_path: Path) -> None:
    program = str(EXAMPLES / "ab_test_v2" / "ab_test.py")
    printed = run([client_program("v2", "python"), program, "--calls", "80"], platform.program_environment(), tmp_path)
    plain, deeper = errors_in_rings(printed)
    assert deeper < plain
    assert "all traffic goes to deeper" in printed
    before, after = printed.split("all traffic goes to deeper")
    assert "plain   answered 0 calls" not in before
    assert "plain   answered 0 calls" in after
    assert "deeper  answered 50 calls" in after
