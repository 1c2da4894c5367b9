"""The waiting line of an engine: who does not fit now waits, strictly first come first served.

    join ─▶ nobody waits, and there is room ─▶ started at once, and no ticket is written
         ─▶ would not fit if all else had gone ─▶ ended, in the words of AWS when it has no such machines
         └▶ a ticket on the disk, before join returns ─▶ look, when room may have come: the first starts if it fits

The first holds up all behind it, so that a large gang is never starved by small ones. A gang is started all or none.
Its ticket goes once it was started: a crash in between starts it again, which does nothing for instances that were
started before. Engines over one directory take turns by a lock, and start nobody whose ticket is gone.
"""

from __future__ import annotations

import fcntl
import logging
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from clary.engines.answers import Place, Resources
from clary.engines.capacity import fit
from clary.engines.tickets import DIGITS, Ticket, read_tickets
from clary.instance.spec import InstanceSpec, InstanceStatus, Outcome

log = logging.getLogger(__name__)

NO_CAPACITY = (
    "CapacityError: Unable to provision requested ML compute capacity. Please retry using a different ML instance type."
)
"""What AWS tells of a job for which it has no machine."""
RETRY = 5.0
"""Seconds until a gang is tried again that could not be started for a reason other than room."""

Start = Callable[[Sequence[InstanceSpec], Sequence[str] | None, float], None]
"""(gang, names of the places that it was given, in its order, or None for any; since when it waited, or 0)."""


class NoRoom(Exception):
    """Raised by what starts a gang where the places had less room than they seemed to: it goes on waiting."""


class Line:
    """Safe to use from many threads."""

    def __init__(
        self, directory: Path, places: Callable[[], Sequence[Place]], start: Start, *, oversubscribe: bool
    ) -> None:
        self._directory = directory
        self._places = places
        self._start = start
        self._oversubscribe = oversubscribe
        self._lock = threading.RLock()
        self._waiting: OrderedDict[Path, Ticket] = OrderedDict()
        self._of: dict[str, Ticket] = {}
        """By instance, also of those that left the line without having run."""
        self._begun: set[Path] = set()
        """Tickets of gangs that a crash cut in half. Their room is theirs, and part of what is taken."""
        self._open = False
        """Whether anybody may be started. Who only looks, or lets go of what there is, starts nothing."""
        self._last = 0
        self._again: threading.Timer | None = None
        for ticket in read_tickets(directory):
            self._note(ticket)

    def take_up(self, started: Container[str]) -> None:
        """Go on with what an earlier engine left, of whose instances these were started."""
        with self._lock:
            self._open = True
            for ticket in self._waiting.values():
                if any(instance_id in started for instance_id in ticket.wants):
                    self._begun.add(ticket.path)
        self.look()

    def join(self, gang: Sequence[InstanceSpec]) -> None:
        """Start the gang or have it wait behind all others; does nothing where it waits already."""
        if self._oversubscribe and not self._waiting:
            self._start(gang, None, 0.0)
            return
        wants = {spec.id: Resources.of(spec) for spec in gang}
        with self._lock:
            if any(instance_id in self._of for instance_id in wants) or self._start_at_once(gang, wants):
                return
            ticket = Ticket(self._directory / self._next_number(), time.time(), wants)
            if self._could_fit(list(wants.values())):
                self._directory.mkdir(mode=0o700, exist_ok=True)
                ticket.write(gang)
                self._note(ticket)
                self.look()
            else:
                self._end(ticket, "Failed", NO_CAPACITY)

    def look(self) -> None:
        """Room may have come: start the first in line, and the next, for as long as they fit."""
        try:
            while self._try_first():
                pass
        except Exception:
            log.exception("the first in line could not be started; it is tried again in %g s", RETRY)
            self._look_later()

    def status(self, instance_id: str) -> InstanceStatus | None:
        """Of an instance that waits, or that left the line without having run; None of any other."""
        ticket = self._of.get(instance_id)
        return ticket.status() if ticket else None

    def stop(self, instance_id: str) -> bool:
        """End the gang of an instance that waits; False where it does not."""
        with self._lock:
            ticket = self._of.get(instance_id)
            if ticket is None:
                return False
            if not ticket.outcome:
                self._end(ticket, "Stopped")
        self.look()
        return True

    def release(self, instance_id: str) -> bool:
        """Forget the instance; what is left of its gang has no place in line any more. False where it is not here."""
        with self._lock:
            ticket = self._of.get(instance_id)
            if ticket is None:
                return False
            del self._of[instance_id], ticket.wants[instance_id]
            if not ticket.wants:
                self._waiting.pop(ticket.path, None)
                ticket.remove()
            else:
                self._end(ticket, ticket.outcome or "Stopped", ticket.reason)
        self.look()
        return True

    def instances(self) -> list[str]:
        return list(self._of)

    def gangs(self) -> list[list[str]]:
        """The instances of the gangs that wait, first come first."""
        with self._lock:
            return [list(ticket.wants) for ticket in self._waiting.values()]

    def _start_at_once(self, gang: Sequence[InstanceSpec], wants: dict[str, Resources]) -> bool:
        where = None if self._waiting else fit(list(wants.values()), self._places())
        if where is None:
            return False
        try:
            self._start(gang, where, 0.0)
        except NoRoom:
            return False
        return True

    def _could_fit(self, wants: Sequence[Resources]) -> bool:
        if self._oversubscribe:
            return True
        empty = [replace(place, taken=Resources()) for place in self._places()]
        # An engine that knows of no place yet may learn of some.
        return not empty or fit(wants, empty) is not None

    def _look_later(self) -> None:
        """Once, however many looks fail meanwhile: whatever ends in the time of trouble makes for another."""
        with self._lock:
            if self._again is None:
                self._again = threading.Timer(RETRY, self._look_again)
                self._again.daemon = True
                self._again.start()

    def _look_again(self) -> None:
        with self._lock:
            self._again = None
        self.look()

    def _try_first(self) -> bool:
        # Of that one alone: whoever asks for something else does not wait for the whole line to be started.
        with self._lock:
            ticket = next(iter(self._waiting.values()), None)
            if ticket is None or not self._open:
                return False
            if self._oversubscribe or ticket.path in self._begun:
                return self._admit(ticket, None)
            where = fit(list(ticket.wants.values()), self._places())
            return where is not None and self._admit(ticket, where)

    def _admit(self, ticket: Ticket, where: Sequence[str] | None) -> bool:
        with self._turn():
            gang = ticket.gang()
            if gang is not None:
                try:
                    self._start(gang, where, ticket.since)
                except NoRoom:
                    return False
                ticket.remove()
        del self._waiting[ticket.path]
        for instance_id in ticket.wants:
            del self._of[instance_id]
        return True

    def _end(self, ticket: Ticket, outcome: Outcome, reason: str = "") -> None:
        """It never ran and never will."""
        self._waiting.pop(ticket.path, None)
        ticket.outcome, ticket.reason, ticket.ended = outcome, reason, ticket.ended or time.time()
        self._directory.mkdir(mode=0o700, exist_ok=True)
        ticket.write()
        self._of.update(dict.fromkeys(ticket.wants, ticket))

    def _note(self, ticket: Ticket) -> None:
        self._last = max(self._last, int(ticket.path.name))
        self._of.update(dict.fromkeys(ticket.wants, ticket))
        if not ticket.outcome:
            self._waiting[ticket.path] = ticket

    def _next_number(self) -> str:
        """By the clock, so that engines over one directory choose different ones, and never back."""
        self._last = max(self._last + 1, time.time_ns())
        return f"{self._last:0{DIGITS}d}"

    @contextmanager
    def _turn(self) -> Iterator[None]:
        fd = os.open(self._directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)
