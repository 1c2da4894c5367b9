"""Removing what a program and its overlays left."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable
from typing import Any


def remove_tree(path: str) -> None:
    shutil.rmtree(path, onerror=_open_and_retry)


def _open_and_retry(remove: Callable[..., Any], path: str, error: Any) -> None:
    """An overlay leaves a directory that its owner may not even list."""
    if isinstance(error[1], FileNotFoundError):
        return
    os.chmod(path, stat.S_IRWXU)
    if remove is os.rmdir or remove is os.unlink:
        remove(path)
    else:
        shutil.rmtree(path)
