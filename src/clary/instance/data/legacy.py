"""What an instance leaves to the one that comes after it (`InstanceSpec.after`), and what that takes of it.

    before/ml/<lasting directory>   becomes the new instance's own, whatever the program made of it
    before/ml/<channel>             too, where `before/staged.json` says that it holds what is to be staged in now

Only channels that the program could not change are written down. A program may have put links in the place of
directories, which are not followed.
"""

from __future__ import annotations

import hashlib
import json
import os

from clary.instance.data.packing import is_plain_directory
from clary.instance.data.staging import is_remote
from clary.instance.layout import Layout
from clary.instance.removing import remove_tree
from clary.instance.spec import Source


class Legacy:
    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._before = Layout(layout["before"])
        self._there = _read(self._before["staged.json"])
        self._staged: dict[str, str] = {}

    def take(self, directory: str) -> bool:
        """Whether the directory of the view was the earlier instance's, and is this one's now."""
        source, place = self._before.host(directory), self._layout.host(directory)
        if not is_plain_directory(source, self._before.root):
            return False
        os.makedirs(os.path.dirname(place), exist_ok=True)
        os.rename(source, place)
        return True

    def take_channel(self, directory: str, sources: list[Source]) -> bool:
        known = fingerprint(sources)
        return bool(known) and self._there.get(directory) == known and self.take(directory)

    def note(self, directory: str, sources: list[Source]) -> None:
        """The channel holds these, and the program cannot change it."""
        self._staged[directory] = fingerprint(sources)

    def close(self) -> None:
        """All is staged in."""
        with open(self._layout["staged.json"], "w", encoding="utf-8") as file:
            json.dump(self._staged, file)
        if os.path.exists(self._before.root):
            remove_tree(self._before.root)


def fingerprint(sources: list[Source]) -> str:
    """The same for the same files with the same bytes; empty where nobody can tell. The query of a presigned URL is
    another each time."""
    if any(is_remote(source) and not source.etag for source in sources):
        return ""
    told = [(source.name, source.location.partition("?")[0], source.size, source.etag) for source in sources]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def _read(path: str) -> dict[str, str]:
    try:
        with open(path, encoding="utf-8") as file:
            found: dict[str, str] = json.load(file)
            return found
    except FileNotFoundError:
        return {}
