"""Paths below a directory that is some program's root directory. Whoever filled it made the links in it.

All that is written, mounted or read below such a root goes by the path that `resolve` gives, which holds no link.
"""

from __future__ import annotations

import os

from clary.instance.errors import Refused

MOST_LINKS = 40
"""As many as Linux follows on the way to one file."""
DEEPEST = 256
"""Directories on the way to a file; removing a tree takes a frame and an open file for each."""


def resolve(root: str, path: str) -> str:
    """Where a process with the root directory `root` finds `path`; what is not there is taken as it is named."""
    parts, done, links = path.split("/")[::-1], [root], 0
    while parts:
        part = parts.pop()
        if part in ("", "."):
            continue
        if part == "..":
            del done[max(1, len(done) - 1) :]
            continue
        try:
            target = os.readlink("/".join([*done, part]))
        except OSError:
            done.append(part)
            continue
        links += 1
        if links > MOST_LINKS:
            raise Refused(f"ClientError: the image has a loop of symbolic links at {path!r}.")
        if target.startswith("/"):
            del done[1:]
        parts += target.split("/")[::-1]
    if len(done) > DEEPEST:
        raise Refused(f"ClientError: the image has directories more than {DEEPEST} deep.")
    return "/".join(done)


def inside(name: str, what: str) -> list[str]:
    """The parts of a name, which may not climb out with `..`. A leading slash means the root directory."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts or "\0" in name:
        raise Refused(f"ClientError: the image has {what} {name!r}, which leads out of its root directory.")
    return parts


def make_directories(root: str, path: str) -> list[str]:
    """Make `path`, which `resolve` gave, and those above it that are missing; returns those that it made."""
    made = []
    while path != root and not os.path.lexists(path):
        made.append(path)
        path = os.path.dirname(path)
    for directory in reversed(made):
        os.mkdir(directory, 0o755)
    return made


def remove(path: str) -> None:
    """Whatever there is at `path`, without following it."""
    if os.path.isdir(path) and not os.path.islink(path):
        import shutil

        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)
