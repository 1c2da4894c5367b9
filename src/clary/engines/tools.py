"""What this machine builds environments of images with."""

import os
import shutil
from pathlib import Path

from clary.engines.indexes import uv_options
from clary.engines.interpreters import find_interpreters
from clary.engines.machine import network_environment
from clary.instance.node import Tools


def machine_tools(environments: Path) -> Tools:
    # Links from uv's cache into an environment cost neither time nor disk, where both lie on one file system.
    cache = os.environ.get("UV_CACHE_DIR") or str(environments.parent / "uv")
    variables = {**network_environment(), "UV_CACHE_DIR": cache}
    return Tools(str(environments), find_uv(), find_interpreters(), variables, uv_options())


def find_uv() -> str:
    """The wheel's uv, else the machine's; empty where there is neither."""
    try:
        from uv import find_uv_bin

        return os.fspath(find_uv_bin())
    except (ImportError, FileNotFoundError):
        return shutil.which("uv") or ""
