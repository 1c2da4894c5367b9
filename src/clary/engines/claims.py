"""Numbers of which no two live instances of a machine have the same: user ids, addresses.

A number is claimed by a lock on its file, which passes to agents and ends with the last that has it, however that ends:
nothing has to be given back, nor found again after a crash. The files are the machine's and not one platform's.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from clary.engines import locks


class Claims:
    def __init__(self, numbers: range, directory: str, usable: Callable[[int], bool] = lambda _number: True) -> None:
        self._numbers = numbers
        self._directory = directory
        self._usable = usable

    @contextmanager
    def claim(self) -> Iterator[tuple[int, int]]:
        """A number that nobody has, and the descriptor that holds it for as long as any process has a copy."""
        self._make_directory()
        for number in self._numbers:
            fd = os.open(f"{self._directory}/{number}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                if locks.take(fd) and self._usable(number):
                    yield number, fd
                    return
            finally:
                os.close(fd)
        raise RuntimeError(f"All of {self._directory} from {self._numbers[0]} to {self._numbers[-1]} are taken.")

    def _make_directory(self) -> None:
        os.makedirs(self._directory, mode=0o700, exist_ok=True)
        status = os.lstat(self._directory)
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
            raise PermissionError(f"{self._directory} is not Clary's own directory; remove it.")
