"""User ids that programs run as where Clary is root: one for each instance, and never two live ones the same.

A uid is claimed by a lock on its file, which passes to the agent and ends with it, however that ends: nothing has to
be given back, nor found again after a crash. The files are the machine's and not one platform's, since uids are.
"""

from __future__ import annotations

import functools
import grp
import os
import pwd
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from clary.engines import locks

DIRECTORY = "/run/clary-uids"
DEFAULT_RANGE = "2100000000:65536"
"""First and number, as in subuid(5). Above what systemd, sssd, and the subordinate ids of shadow give out by default,
and below 2^31, which some programs cannot hold."""


class Uids:
    def __init__(self, uids: str = DEFAULT_RANGE, directory: str = DIRECTORY) -> None:
        first, _, count = uids.partition(":")
        self._range = range(int(first), int(first) + int(count))
        self._directory = directory

    @contextmanager
    def claim(self) -> Iterator[tuple[int, int]]:
        """A uid that nobody has, and the descriptor that holds it for as long as any process has a copy."""
        self._make_directory()
        for uid in self._range:
            fd = os.open(f"{self._directory}/{uid}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                if locks.take(fd) and not _has_account(uid):
                    yield uid, fd
                    return
            finally:
                os.close(fd)
        raise RuntimeError(f"All user ids from {self._range[0]} to {self._range[-1]} are taken.")

    def _make_directory(self) -> None:
        os.makedirs(self._directory, mode=0o700, exist_ok=True)
        status = os.lstat(self._directory)
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
            raise PermissionError(f"{self._directory} is not Clary's own directory; remove it.")


@functools.cache
def _has_account(uid: int) -> bool:
    for known in (pwd.getpwuid, grp.getgrgid):
        with suppress(KeyError):
            known(uid)
            return True
    return False
