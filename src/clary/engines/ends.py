"""Says at once when an agent ended, however it ended: one thread for any number of them.

    watch ─▶ pidfd (pidfd_open(2)) ─▶ epoll ─▶ ended(name)

The kernel wakes the thread; it costs nothing while nobody ends. Where the process may open no more files, who is left
over is looked at each second.
"""

import errno
import logging
import os
import select
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)

LOOK_AGAIN = 1.0
OUT_OF_FILES = (errno.EMFILE, errno.ENFILE)


class Ends:
    def __init__(self, ended: Callable[[str], None]) -> None:
        """`ended` is called on a thread of its own, once for each that was watched."""
        self._ended = ended
        self._lock = threading.Lock()
        self._names: dict[int, str] = {}
        self._left_over: dict[str, Callable[[], bool]] = {}
        self._poll: select.epoll | None = None
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)

    def watch(self, name: str, pid: int, alive: Callable[[], bool]) -> None:
        """`pid` was the agent's, and is another's where it is not `alive` any more; 0 where it is not known."""
        with self._lock:
            if self._poll is None:
                self._poll = select.epoll()
                self._poll.register(self._wake, select.EPOLLIN)
                threading.Thread(target=self._listen, args=(self._poll,), name="ends", daemon=True).start()
            fd = _open(pid, alive) if pid else None
            if fd is None:
                self._left_over[name] = alive
                os.eventfd_write(self._wake, 1)
            else:
                self._names[fd] = name
                self._poll.register(fd, select.EPOLLIN)

    def _listen(self, poll: select.epoll) -> None:
        while True:
            events = poll.poll(LOOK_AGAIN if self._left_over else None)
            with self._lock:
                if any(fd == self._wake for fd, _ in events):
                    os.eventfd_read(self._wake)
                names = [self._close(poll, fd) for fd, _ in events if fd != self._wake]
                left_over = list(self._left_over.items())
            names += [name for name, alive in left_over if not alive()]
            for name in names:
                self._left_over.pop(name, None)
                try:
                    self._ended(name)
                except Exception:
                    log.exception("the end of %s could not be dealt with", name)

    def _close(self, poll: select.epoll, fd: int) -> str:
        poll.unregister(fd)
        os.close(fd)
        return self._names.pop(fd)


def _open(pid: int, alive: Callable[[], bool]) -> int | None:
    """A descriptor that polls as readable once the process has ended; None where no more can be opened."""
    try:
        fd = os.pidfd_open(pid)
        if alive():
            return fd
        os.close(fd)
        return _over()
    except ProcessLookupError:
        return _over()
    except OSError as error:
        if error.errno in OUT_OF_FILES:
            return None
        raise


def _over() -> int:
    ours, theirs = os.pipe()
    os.close(theirs)
    return ours
