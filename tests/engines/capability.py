import functools
import tempfile

import pytest

from clary.engines.machine import find_bwrap
from clary.instance.probe import probe


@functools.cache
def sandbox_works() -> bool:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory:
        return bool(find_bwrap()) and probe(find_bwrap(), directory)[0] != "none"


needs_sandbox = pytest.mark.skipif(not sandbox_works(), reason="this machine refuses a sandbox")
