"""Jobs that are found by what they were told and by their metrics, and a model that is followed back to its data."""

import re
import sys
from pathlib import Path

import pytest

from tests.clients.programs import EXAMPLES, errors_in_rings, run
from tests.platform import Platform

pytestmark = pytest.mark.clients


def test_jobs_are_found_and_followed_back(platform: Platform, tmp_path: Path) -> None:
    program = str(EXAMPLES / "search_boto3" / "find_jobs.py")
    printed = run([sys.executable, program], platform.program_environment(), tmp_path)
    assert "flat: 2 3\n" in printed
    assert "of this data: 4\n" in printed
    errors = errors_in_rings(printed)
    assert len(errors) == 4
    assert errors == sorted(errors)
    assert re.search(r"made of: s3://\S+/train/ s3://\S+/validation/\n", printed)
