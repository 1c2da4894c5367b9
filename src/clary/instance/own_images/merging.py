"""The root directory of an image: its unpacked layers, laid over each other by hard links.

An overlay file system could do that when an instance starts, but it marks what a layer takes away by device nodes,
which only root of the machine makes, and it holds as many layers as fit into one page of memory. The links cost a
moment for each image, once; the bytes of a layer are on the disk once for all images.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Callable

from clary.instance.layout import RUN_VIEW, VIEW
from clary.instance.own_images.rootfs import make_directories, remove, resolve
from clary.instance.own_images.unpacking import FILES, Notes

CANNOT_LINK = (errno.EMLINK, errno.EXDEV, errno.EPERM)
OF_THE_KERNEL = ("/proc", "/sys", "/dev")
PLACES = (
    *OF_THE_KERNEL,
    *("/etc", "/run", "/tmp", "/var/tmp", "/root", RUN_VIEW),
    *(f"{VIEW}/{name}" for name in ("input", "model", "output")),
)
"""Directories that a sandbox mounts on, where its root directory cannot be written to."""
PLACES_OF_FILES = ("/etc/hosts", "/etc/resolv.conf")


def merge(layers: list[str], root: str, check: Callable[[], None]) -> None:
    """Make `root` of the unpacked `layers`, the lowest first."""
    os.mkdir(root, 0o755)
    for layer in layers:
        notes = Notes.of(layer)
        for path in notes.opaque:
            _empty(_place(root, path))
        for path in notes.whiteouts:
            remove(_place(root, path))
        _lay_over(f"{layer}/{FILES}", root, set(notes.implied), check)


def make_places(root: str, workdir: str) -> None:
    """Make what is missing of what is mounted on. A link of the image's own in place of a directory is followed, within
    the image."""
    for path in OF_THE_KERNEL:
        if os.path.islink(f"{root}{path}"):
            os.unlink(f"{root}{path}")
    for path in (*PLACES, workdir):
        make_directories(root, resolve(root, path))
    for path in PLACES_OF_FILES:
        place = resolve(root, path)
        make_directories(root, os.path.dirname(place))
        if not os.path.lexists(place):
            os.close(os.open(place, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))


def _lay_over(source: str, root: str, implied: set[str], check: Callable[[], None]) -> None:
    # Not by recursion: the depth is the image's.
    pending = [("", root, False)]
    while pending:
        check()
        relative, target, fresh = pending.pop()
        with os.scandir(f"{source}/{relative}") as entries:
            for entry in entries:
                name, path = f"{relative}/{entry.name}".lstrip("/"), f"{target}/{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    pending.append((name, *_enter(entry, path, root, fresh, named=name not in implied)))
                else:
                    if not fresh:
                        remove(path)
                    _link(entry.path, path)


def _enter(entry: os.DirEntry[str], path: str, root: str, fresh: bool, *, named: bool) -> tuple[str, bool]:
    """Where a directory of a layer comes to lie, and whether it is new there."""
    if not fresh and not named:
        # A layer that speaks of /lib/x alone means what the layers below have as /lib, be it a link.
        path = resolve(root, path[len(root) :])
    if not fresh and os.path.lexists(path):
        if os.path.isdir(path) and not os.path.islink(path):
            if named:
                os.chmod(path, stat.S_IMODE(entry.stat(follow_symlinks=False).st_mode))
            return path, False
        remove(path)
    make_directories(root, path)
    os.chmod(path, stat.S_IMODE(entry.stat(follow_symlinks=False).st_mode))
    return path, True


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError as error:
        if error.errno not in CANNOT_LINK:
            raise
        shutil.copy2(source, target, follow_symlinks=False)


def _place(root: str, path: str) -> str:
    """Where `path` lies, which may itself be a link."""
    above, _, name = path.rpartition("/")
    return f"{resolve(root, above)}/{name}".rstrip("/")


def _empty(directory: str) -> None:
    if os.path.isdir(directory) and not os.path.islink(directory):
        with os.scandir(directory) as entries:
            for entry in entries:
                remove(entry.path)
