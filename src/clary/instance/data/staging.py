"""Stage in: configuration files and channels, from the spec into the instance's directory.

Names come from whoever filled a bucket, so none is trusted: a file is only ever written below its own channel.
Where the sandbox gives the program an overlay of a channel, local bodies are hard-linked, which costs nothing;
otherwise they are copied, since the program may write to what it reads and the bodies belong to the object store.
"""

from __future__ import annotations

import errno
import os
import posixpath
from collections.abc import Callable

from clary.instance.errors import Refused
from clary.instance.layout import VIEW, Layout
from clary.instance.spec import Source

CANNOT_LINK = (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EACCES)


def write_files(layout: Layout, files: dict[str, str]) -> None:
    for path, content in files.items():
        if not posixpath.normpath(path).startswith(f"{VIEW}/"):
            raise Refused(f"The file {path} lies outside {VIEW}.")
        target = layout.host(path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "w", encoding="utf-8") as file:
            file.write(content)


def fill(
    directory: str, sources: list[Source], *, link: bool, check: Callable[[], None], say: Callable[[str], None]
) -> None:
    """Fill `directory` with `sources`. `check` is called between files and may raise to end it all; `say` is told of
    downloads that have to wait."""
    places = plan(directory, sources)
    for parent in {os.path.dirname(path) for path in places}:
        os.makedirs(parent, exist_ok=True)
    remote: dict[str, Source] = {}
    for path, source in places.items():
        check()
        if is_remote(source):
            remote[path] = source
        else:
            _place(source, path, link=link)
    if remote:
        from clary.instance.data.fetch import fetch_all

        fetch_all(remote, check, say)


def bring(source: Source, directory: str, check: Callable[[], None], say: Callable[[str], None]) -> str:
    """Path of one local file: the source itself, or where in `directory` it was downloaded to."""
    if not is_remote(source):
        return source.location
    from clary.instance.data.fetch import fetch_all

    path = f"{directory}/archive"
    fetch_all({path: source}, check, say)
    return path


def is_remote(source: Source) -> bool:
    return source.location.startswith(("http://", "https://"))


def plan(directory: str, sources: list[Source]) -> dict[str, Source]:
    """Path of every file → its source; makes the directories that keys ending in `/` stand for."""
    os.makedirs(directory, exist_ok=True)
    places: dict[str, Source] = {}
    for source in sources:
        name = safe_name(source.name)
        if source.is_directory:
            os.makedirs(f"{directory}/{name}", exist_ok=True)
        else:
            places[f"{directory}/{name}"] = source
    _refuse_conflicts(directory, places)
    return places


def safe_name(name: str) -> str:
    """`name` as a relative path that stays where it is put; else `Refused`."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or ".." in parts or "\0" in name or not parts:
        raise Refused(f"ClientError: Data download failed: the key {name!r} cannot be the name of a file.")
    return "/".join(parts)


def _refuse_conflicts(directory: str, places: dict[str, Source]) -> None:
    """S3 allows keys `a` and `a/b` side by side; a directory of files does not."""
    parents: set[str] = set()
    for path in places:
        parent = os.path.dirname(path)
        while parent not in parents and len(parent) > len(directory):
            parents.add(parent)
            parent = os.path.dirname(parent)
    for path in places:
        if path in parents or os.path.isdir(path):
            name = path[len(directory) + 1 :]
            below = next((source.name for other, source in places.items() if other.startswith(f"{path}/")), f"{name}/")
            raise Refused(
                "ClientError: Data download failed: one key cannot be both a file and a directory: "
                f"{name!r} and {below!r}."
            )


def _place(source: Source, path: str, *, link: bool) -> None:
    try:
        if link:
            try:
                os.link(source.location, path)
                return
            except OSError as error:
                if error.errno not in CANNOT_LINK:
                    raise
        import shutil

        shutil.copyfile(source.location, path)
    except OSError as error:
        raise Refused(f"ClientError: Data download failed: {source.name}: {error.strerror or error}.") from error
