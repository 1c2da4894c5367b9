"""docs/security.md names the test of each of its claims."""

import re
from pathlib import Path

TESTS = Path(__file__).parent
PAGE = TESTS.parent / "docs" / "security.md"


def test_every_test_that_is_named_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", PAGE.read_text()))
    defined = {name for path in TESTS.rglob("test_*.py") for name in re.findall(r"def (test_\w+)", path.read_text())}
    defined |= set(re.findall(r"def (test_\w+)", (TESTS / "engines" / "conformance.py").read_text()))
    assert len(named) > 20
    assert named <= defined
