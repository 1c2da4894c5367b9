"""Directories of the machine that programs see: where they are, and that they are what was registered, or below it."""

from __future__ import annotations

import os

from clary.instance.errors import Refused
from clary.instance.layout import Layout
from clary.instance.spec import Mount


def resolve(mount: Mount) -> str:
    """The real path of what is to be seen. Raises `Refused`, as AWS words it."""
    root = os.path.realpath(mount.root)
    path = os.path.realpath(f"{root}/{mount.directory}")
    if not f"{path}/".startswith(f"{root.rstrip('/')}/") or not os.access(path, os.R_OK | os.X_OK):
        raise Refused(unable(mount.name, mount.directory, "Incorrect mount path or insufficient permissions."))
    if not os.path.isdir(path):
        raise Refused(unable(mount.name, mount.directory, "It is no directory."))
    return path


def unable(name: str, directory: str, why: str) -> str:
    return f"ClientError: Unable to mount file system: {name}, directory path: {directory}. {why}"


def prepare(layout: Layout, path: str, mount: Mount) -> str:
    """Make the place that it is mounted on."""
    source = resolve(mount)
    os.makedirs(layout.host(path), exist_ok=True)
    return source
