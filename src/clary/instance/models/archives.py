"""Archives of models on the instance's disk: brought when they are first asked for, and removed when the disk is short.

Below a directory that the program can only read lies of each model `<name>/model`, whole or not at all.
"""

from __future__ import annotations

import os
import shutil

from clary.instance.data.packing import unpack
from clary.instance.errors import Refused

ROOM = 4
"""How many times its archive's size a model is believed to take when it is unpacked beside it."""


class Archives:
    """All methods may block."""

    def __init__(self, directory: str, scratch: str, reserve: int) -> None:
        """Archives that come over the network go through `scratch`. `reserve` bytes of the disk are the platform's."""
        self._directory = directory
        self._scratch = scratch
        self._reserve = reserve

    def bring(self, name: str, location: str) -> int:
        """Unpack what lies at `location`; the bytes that it takes. Raises `Refused`."""
        fresh = f"{self._directory}/{name}.new"
        shutil.rmtree(fresh, ignore_errors=True)
        archive = self._fetched(name, location) if location.startswith(("http://", "https://")) else location
        try:
            unpack(archive, f"{fresh}/model", lambda: None)
            size = _open_to_all(fresh)
            os.rename(fresh, f"{self._directory}/{name}")
        except OSError as error:
            raise Refused(f"ClientError: Data download failed: {error.strerror or error}.") from None
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
            if archive != location:
                os.unlink(archive)
        return size

    def set_aside(self, name: str) -> None:
        """Before it is removed: from now on another may be brought in its place. Does not block."""
        os.rename(f"{self._directory}/{name}", f"{self._directory}/{name}.old")

    def remove(self, name: str) -> None:
        shutil.rmtree(f"{self._directory}/{name}.old", ignore_errors=True)

    def lacks_room(self, location: str) -> bool:
        """Whether the disk has too little of it for another archive."""
        size = 0 if location.startswith("http") else os.path.getsize(location)
        disk = os.statvfs(self._directory)
        return disk.f_bavail * disk.f_frsize < self._reserve + ROOM * size

    def _fetched(self, name: str, url: str) -> str:
        from clary.instance.data.fetch import fetch
        from clary.instance.spec import Source

        path = f"{self._scratch}/{name}.tar.gz"
        # The query of a presigned URL is a secret; the reason of a failure is not.
        fetch(Source(os.path.basename(url.partition("?")[0]), url), path)
        return path


def _open_to_all(directory: str) -> int:
    """Let the program's own user read what is the agent's; the bytes of the files."""
    size = 0
    for parent, _, names in os.walk(directory):
        os.chmod(parent, 0o755)
        for name in names:
            status = os.lstat(path := f"{parent}/{name}")
            if os.path.isfile(path) and not os.path.islink(path):
                os.chmod(path, status.st_mode | 0o444)
                size += status.st_size
    return size
