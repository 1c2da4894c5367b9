"""The process that gateways are forked from: made before the platform has threads, it keeps as many as are wanted.

    platform ══ packets ══ keeper        ▶ the platform's ends of a new gateway's sockets, with its pid
                                         ◀ the pid of one that is to be replaced

It holds what the platform had imported when it was forked, and does nothing else.
"""

import contextlib
import gc
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NoReturn

PAUSE = 0.05
LONGEST_PAUSE = 2.0
"""Seconds before another is forked for one that ended at once: from none to the longest, growing while they do."""
AT_ONCE = 5.0
"""Seconds in which a gateway has ended at once."""

Work = Callable[[socket.socket, socket.socket], None]
"""What a gateway does, with its ends of the channel and of the way that connections are handed on by."""


def begin(count: int, work: Work, held: list[int]) -> socket.socket:
    """Fork the keeper; the platform's end of the packets. `held` are descriptors that only the platform may have."""
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    if os.fork() == 0:
        near.close()
        for descriptor in held:
            os.close(descriptor)
        _end_with(lambda: Keeper(count, work, far).run())
    far.close()
    return near


@dataclass(slots=True)
class Keeper:
    count: int
    work: Work
    platform: socket.socket
    pause: float = 0.0
    begun: dict[int, float] = field(default_factory=dict)
    """When each gateway was forked, by its pid."""
    ends: dict[int, int] = field(default_factory=dict)
    """A pidfd of each."""
    due: list[float] = field(default_factory=list)
    """When others are to be forked in place of those that ended."""
    events: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)

    def run(self) -> None:
        """Until the platform ends, which ends its gateways too."""
        gc.freeze()  # What is frozen stays shared with the gateways.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        self.events.register(self.platform, selectors.EVENT_READ)
        try:
            for _ in range(self.count):
                self._fork()
            while True:
                ready = [key for key, _ in self.events.select(self._next_due())]
                # The platform's end first: its gateways end with it, and none is to be forked for them.
                for key in sorted(ready, key=lambda key: key.fileobj is not self.platform):
                    if key.fileobj is self.platform:
                        self._replace(int(self.platform.recv(32) or b"0"))
                    else:
                        self._bury(key.data)
                while self.due and self.due[0] <= time.monotonic():
                    self.due.pop(0)
                    self._fork()
        except (_PlatformEnded, BrokenPipeError, ConnectionResetError):
            for pid in self.begun:
                os.kill(pid, signal.SIGKILL)

    def _next_due(self) -> float | None:
        return max(0.0, self.due[0] - time.monotonic()) if self.due else None

    def _fork(self) -> None:
        channel, own_channel = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        way, own_way = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        pid = os.fork()
        if pid == 0:
            for other in (self.platform, channel, way):
                other.close()
            for pidfd in self.ends.values():
                os.close(pidfd)
            self.events.close()
            _end_with(lambda: self.work(own_channel, own_way))
        with channel, way, own_channel, own_way:
            self.begun[pid], self.ends[pid] = time.monotonic(), os.pidfd_open(pid)
            self.events.register(self.ends[pid], selectors.EVENT_READ, pid)
            socket.send_fds(self.platform, [str(pid).encode()], [channel.fileno(), way.fileno()])

    def _replace(self, pid: int) -> None:
        if not pid:
            raise _PlatformEnded
        if pid in self.begun:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _bury(self, pid: int) -> None:
        pidfd = self.ends.pop(pid)
        self.events.unregister(pidfd)
        os.close(pidfd)
        os.waitpid(pid, 0)
        now = time.monotonic()
        if now - self.begun.pop(pid) > AT_ONCE:
            self.pause = 0.0
        self.due = sorted([*self.due, now + self.pause])
        self.pause = min(LONGEST_PAUSE, self.pause * 2 or PAUSE)


class _PlatformEnded(Exception):
    pass


def _end_with(work: Callable[[], None]) -> NoReturn:
    """End this process as `work` ends: it must never return into the code that it was forked in."""
    status = 1
    try:
        work()
        status = 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.flush()
        os._exit(status)
