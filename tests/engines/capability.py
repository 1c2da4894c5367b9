import ctypes
import functools
import os
import tempfile

import pytest

from clary.engines import networks
from clary.engines.machine import find_bwrap, probe
from clary.instance import libc


@functools.cache
def sandbox_works() -> bool:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory:
        return bool(find_bwrap()) and probe(find_bwrap(), directory)[0] != "none"


needs_sandbox = pytest.mark.skipif(not sandbox_works(), reason="this machine refuses a sandbox")


@functools.cache
def own_uids() -> bool:
    """Whether programs run as users of their own: Clary is root, and the machine allows it."""
    if os.geteuid() or not find_bwrap():
        return False
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory:
        return probe(find_bwrap(), directory, 65534)[0] != "none"


def scopes_abstract_sockets() -> bool:
    """Landlock's sixth version does."""
    version = ctypes.CDLL(None).syscall(libc.SYS_LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint(1))
    return bool(version >= 6)


@functools.cache
def own_networks() -> bool:
    """Whether instances can have networks of their own here."""
    if not sandbox_works():
        return False
    try:
        for namespace in networks.build(["algo-1", "algo-2"], outward=True).values():
            os.close(namespace)
    except networks.NoNetworkError:
        return False
    return True


needs_own_networks = pytest.mark.skipif(
    not own_networks(), reason="this machine allows no networks of the instances' own"
)
