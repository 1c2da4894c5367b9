"""Running the program: one loop over its two pipes, its end, the engine's wishes and the clock.

spawn → poll [stdout, stderr, end, wake] → ended → everything it left is killed → pipes drained → `Ending`
            └ a wish, or the time limit → SIGTERM to the program → grace → SIGKILL to all of it
"""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from clary.instance.log import Log, Stream
from clary.instance.meter import Meter
from clary.instance.processes import (
    adopt_orphans,
    chain,
    children,
    close_all_but,
    die_with_parent,
    exit_code,
    sandboxed,
    send,
    spawn,
)
from clary.instance.room import Room
from clary.instance.spec import Outcome
from clary.instance.wishes import Wishes

CHUNK = 256 * 1024
DRAIN_SECONDS = 2.0
"""How long the pipes may stay open after the program's end, held by a process that is being killed."""
SANDBOX_START = 0.02
"""Seconds between two looks for the program of a sandbox that is still being set up."""


@dataclass(slots=True)
class Command:
    argv: list[str]
    environment: dict[str, str]
    cwd: str = "/"
    contained: bool = False
    """Whether `argv` is bubblewrap's, and the program its grandchild."""
    prepare: Callable[[], None] = lambda: None
    """Runs in the child before the program: joins its control groups."""
    handed: Sequence[int] = ()
    """Open files that become the program's and are nobody else's from then on."""
    beside: Callable[[], None] = lambda: None
    """Starts, before the program, the processes that accompany it: they are killed with what it leaves running."""
    alarms: Sequence[int] = ()
    """Open files, known once `beside` has run: when one can be read, the program has to end."""
    call: Callable[[], int] | None = None
    """In place of `argv`, which is then its name: runs in the child, and returns the exit code."""
    begun: int | None = None
    """Readable once the program runs, where that takes its while: its time counts from then on."""
    kill: int = signal.SIGKILL
    """The signal that ends the program and all that it started. Who runs it elsewhere has to end it there."""


@dataclass(slots=True)
class Limits:
    seconds: float = 0.0
    """0 is no limit."""
    grace: float = 120.0
    room: Room | None = None
    """The disk that the program may not fill."""
    meter: Meter | None = None


@dataclass(frozen=True, slots=True)
class Ending:
    exit_code: int
    cause: Outcome
    """`Stopped` or `MaxRuntimeExceeded` where the agent ended it; else empty."""
    tail: list[bytes] = field(default_factory=list)
    """Last lines of its error output."""
    seen: str = ""
    """Why the agent ended it, where that is the program's fault."""
    alarmed: bool = False
    """Whether one of `Command.alarms` ended it."""


def run(command: Command, log: Log, wishes: Wishes, limits: Limits) -> Ending:
    return Supervisor(command, log, wishes, limits).run()


class Supervisor:
    def __init__(self, command: Command, log: Log, wishes: Wishes, limits: Limits) -> None:
        self._command = command
        self._log = log
        self._wishes = wishes
        self._limits = limits
        # Nothing outlives the program, also not a sandbox whose bubblewrap was killed while it was still being set up.
        adopt_orphans()
        # What bubblewrap does for a sandbox: the program does not outlive the agent.
        prepare = command.prepare if command.contained else chain(die_with_parent, command.prepare)
        command.beside()
        self._child = spawn(
            command.argv, command.environment, command.cwd, chain(prepare, self._hand_over), command.call
        )
        for fd in command.handed:
            os.close(fd)
        # In this order are they read when both have something: a traceback comes after what was printed before it.
        self._streams = {self._child.stdout: Stream(log), self._child.stderr: Stream(log)}
        self._errors = self._streams[self._child.stderr]
        self._cause: Outcome = ""
        self._deadline: float | None = None
        self._kill_at: float | None = None
        self._term_at: float | None = None
        self._seen = ""
        self._alarmed = False
        self._poller = select.poll()
        for fd in (*self._streams, self._child.pidfd, wishes.fd, *command.alarms):
            self._poller.register(fd, select.POLLIN)
        if command.begun is None:
            self._begin()
        else:
            self._poller.register(command.begun, select.POLLIN)

    def run(self) -> Ending:
        self._obey()
        while not self._turn():
            pass
        code = exit_code(os.waitpid(self._child.pid, 0)[1])
        self._poller.unregister(self._child.pidfd)
        os.close(self._child.pidfd)
        self._kill_rest()
        self._drain()
        return Ending(code, self._cause, list(self._errors.tail), self._seen, self._alarmed)

    def _hand_over(self) -> None:
        """In the child."""
        if self._command.call:
            close_all_but({0, 1, 2, *self._command.handed})
        for fd in self._command.handed:
            os.set_inheritable(fd, True)

    def _begin(self) -> None:
        """The program runs, and so does its time."""
        if self._limits.seconds and not self._cause:
            self._deadline = time.monotonic() + self._limits.seconds

    def _turn(self) -> bool:
        """One round of the loop; True when the program has ended."""
        ready = {fd for fd, _ in self._poller.poll(self._patience())}
        for fd in list(self._streams):
            if fd in ready:
                self._read(fd)
        if self._wishes.fd in ready:
            self._wishes.drain()
            self._obey()
        if not self._alarmed and not ready.isdisjoint(self._command.alarms):
            self._heed()
        if self._command.begun in ready:
            self._poller.unregister(self._command.begun)
            self._begin()
        self._keep_time()
        return self._child.pidfd in ready

    def _heed(self) -> None:
        for fd in self._command.alarms:
            self._poller.unregister(fd)
        self._alarmed = True
        self._kill()

    def _read(self, fd: int) -> bool:
        """False when there is nothing more to read for now; closes the stream at its end."""
        try:
            data = os.read(fd, CHUNK)
        except BlockingIOError:
            return False
        if data:
            self._streams[fd].feed(data)
            return True
        self._close(fd)
        return False

    def _close(self, fd: int) -> None:
        self._streams.pop(fd).flush()
        self._poller.unregister(fd)
        os.close(fd)

    def _patience(self) -> float | None:
        """Milliseconds until something falls due."""
        due = [self._deadline, self._kill_at, self._term_at, self._log.due]
        if self._limits.room and not self._seen:
            due.append(self._limits.room.due)
        if self._limits.meter:
            due.append(self._limits.meter.due)
        due += [stream.due for stream in self._streams.values()]
        times = [moment for moment in due if moment is not None]
        return max(0.0, min(times) - time.monotonic()) * 1000 + 1 if times else None

    def _keep_time(self) -> None:
        now = time.monotonic()
        for stream in self._streams.values():
            if stream.due is not None and stream.due <= now:
                stream.flush()
        self._log.settle(now)
        if self._deadline is not None and self._deadline <= now:
            self._end("MaxRuntimeExceeded")
        if self._term_at is not None and self._term_at <= now:
            self._terminate()
        if self._kill_at is not None and self._kill_at <= now:
            self._kill_at = None
            self._kill()
        if self._limits.meter:
            self._limits.meter.look()
        if self._limits.room and not self._seen:
            self._seen = self._limits.room.look(self._inside)
            if self._seen:
                self._kill()

    def _obey(self) -> None:
        match self._wishes.current():
            case "stop":
                self._end("Stopped")
            case "kill":
                self._cause = self._cause or "Stopped"
                self._kill()

    def _end(self, cause: Outcome) -> None:
        if self._cause:
            return
        self._cause = cause
        self._deadline = None
        self._kill_at = time.monotonic() + self._limits.grace
        self._terminate()

    def _terminate(self) -> None:
        self._term_at = None
        pid = self._program()
        if pid is None:
            self._term_at = time.monotonic() + SANDBOX_START
        else:
            send(pid, signal.SIGTERM)

    def _program(self) -> int | None:
        if not self._command.contained:
            return self._child.pid
        inside = sandboxed(self._child.pid)
        return inside[1] if inside else None

    def _inside(self) -> int | None:
        return self._program() if self._command.contained else None

    def _kill(self) -> None:
        """Ends the program and all that it started. A sandbox dies with its first process, and bubblewrap after it,
        with the pipes closed; killed from the outside in, it would leave a moment in which the program lives on."""
        inside = sandboxed(self._child.pid) if self._command.contained else None
        if inside:
            send(inside[0], signal.SIGKILL)
        else:
            send(self._child.pid, self._command.kill)

    def _kill_rest(self) -> None:
        """Kills what the program left running: orphans have become the agent's own children (`adopt_orphans`). Of a
        sandbox nothing is left but where it was killed before it was whole."""
        while rest := children(os.getpid()):
            for pid in rest:
                send(pid, signal.SIGKILL)
            for pid in rest:
                os.waitpid(pid, 0)

    def _drain(self) -> None:
        until = time.monotonic() + DRAIN_SECONDS
        while self._streams and time.monotonic() < until:
            for fd in list(self._streams):
                while self._read(fd):
                    pass
            if self._streams:
                self._poller.poll(10)
        for fd in list(self._streams):
            self._close(fd)
