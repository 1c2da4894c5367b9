"""Named pipes of channels: beside the program a process for each, which feeds it what the channel holds.

    <channel>_0, <channel>_1                 are there before the program starts
    the program opens <channel>_<n>  ─▶  all items of epoch n, one after another  ─▶  end of file, the pipe goes
                                     └─▶  <channel>_<n + 2> is made: whoever has read one finds the next

So AWS documents Pipe mode ("Training Data" in "How Amazon SageMaker Provides Training Information"). Epochs come in
their order; who closes a pipe early has read enough of it. Where something cannot be read the pipe stays open, since
its end would be taken for that of the data, and the program is ended.

The program may put what it likes into the directory of its pipes, which are therefore found from that directory's own
descriptor, and are written to only where they are pipes.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import stat
from collections.abc import Callable
from dataclasses import replace

from clary.instance.data.feed import Feed
from clary.instance.data.held import hold
from clary.instance.errors import Refused
from clary.instance.layout import Layout
from clary.instance.processes import chain, close_all_but, die_with_parent
from clary.instance.program import Command
from clary.instance.spec import Pipe, Source

AHEAD = 2
"""Pipes that are there at once: the one that is read, and the one that comes after it."""
CAPACITY = 1024 * 1024
"""Bytes that a pipe holds, where the machine lets it."""
LONGEST_REASON = 1024


class Pipes:
    def __init__(self, layout: Layout, pipes: dict[str, Pipe], check: Callable[[], None]) -> None:
        self._scratch = layout["feed"]
        self._said, self._say = os.pipe()
        os.set_blocking(self._said, False)
        self._alarms = [self._said]
        self._feeds: list[tuple[int, str, Pipe]] = []
        os.makedirs(self._scratch, exist_ok=True)
        for number, (path, pipe) in enumerate(pipes.items()):
            above, name = os.path.split(layout.host(path))
            os.makedirs(above, exist_ok=True)
            directory = os.open(above, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            for epoch in range(AHEAD):
                _make(directory, f"{name}_{epoch}")
            self._feeds.append((directory, name, self._keep(pipe, number, check)))

    def accompany(self, command: Command) -> Command:
        return replace(command, beside=chain(command.beside, self._start), alarms=self._alarms)

    def trouble(self) -> str:
        """What could not be fed, and why."""
        try:
            return os.read(self._said, LONGEST_REASON).decode(errors="replace")
        except BlockingIOError:
            return "InternalServerError: what feeds a channel to the program was killed."

    def _keep(self, pipe: Pipe, number: int, check: Callable[[], None]) -> Pipe:
        """The pipe with links in place of the store's files, which are gone once their objects are deleted."""
        kept: dict[str, str] = {}

        def keep(source: Source) -> Source:
            if source.location not in kept:
                kept[source.location] = hold(source, f"{self._scratch}/{number}-{len(kept)}", check).location
            return replace(source, location=kept[source.location])

        return replace(pipe, items=[[keep(source) for source in item] for item in pipe.items])

    def _start(self) -> None:
        for directory, name, pipe in self._feeds:
            pid = os.fork()
            if pid == 0:
                try:
                    close_all_but({0, 1, 2, directory, self._say})
                    die_with_parent()
                    self._feed(directory, name, pipe)
                finally:
                    os._exit(1)
            # Where it is killed, too, the end of the pipe is not that of the data.
            self._alarms.append(os.pidfd_open(pid))

    def _feed(self, directory: int, name: str, pipe: Pipe) -> None:
        """Until it is killed."""
        try:
            feed = Feed(pipe, self._scratch)
            epoch = 0
            while True:
                _feed_epoch(directory, name, epoch, feed)
                epoch += 1
        except Refused as refused:
            reason = str(refused)
        except Exception as error:
            reason = f"InternalServerError: {type(error).__name__}: {error}"
        os.write(self._say, reason.encode()[:LONGEST_REASON])
        # The pipe stays open.
        while True:
            signal.pause()


def _feed_epoch(directory: int, name: str, epoch: int, feed: Feed) -> None:
    fd = _open(directory, f"{name}_{epoch}")
    _make(directory, f"{name}_{epoch + AHEAD}")
    # The program has read enough.
    with contextlib.suppress(BrokenPipeError):
        feed.send(epoch, fd)
    # Whoever opened it again would wait for ever.
    with contextlib.suppress(OSError):
        os.unlink(f"{name}_{epoch}", dir_fd=directory)
    os.close(fd)


def _make(directory: int, name: str) -> None:
    try:
        os.mkfifo(name, 0o644, dir_fd=directory)
    except OSError as error:
        raise Refused(f"ClientError: the pipe {name} cannot be made: {error.strerror or error}.") from error


def _open(directory: int, name: str) -> int:
    """Waits until the program opens it."""
    try:
        fd = os.open(name, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)
    except OSError as error:
        raise Refused(f"ClientError: the pipe {name} is gone: {error.strerror or error}.") from error
    if not stat.S_ISFIFO(os.fstat(fd).st_mode):
        raise Refused(f"ClientError: {name} is no pipe any more.")
    # Every user may have so many pages in pipes.
    with contextlib.suppress(OSError):
        fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, CAPACITY)
    return fd
