import functools
import tempfile

from clary.engines.machine import find_bwrap
from clary.instance.probe import probe


@functools.cache
def sandbox_works() -> bool:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory:
        return bool(find_bwrap()) and probe(find_bwrap(), directory)[0] != "none"
