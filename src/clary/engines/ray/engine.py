"""Instances on a Ray cluster: an actor for each, which runs the same agent on its node.

    start ─▶ line ─▶ ledger, placement group (there is room, or the gang waits) ─▶ a thread: actors, then agents
    poll, stop, logs ─▶ driver ─▶ actor ─▶ the process engine of its node
    a lost actor ─▶ Done, Failed, `lost`: the ledger keeps what is known, and all logs that were read stay

The cluster holds what runs and the ledger what was asked for; whenever the driver has connected, the engine makes them
agree: it goes on placing, forgets actors that nobody owns, and looks at all others again.
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import clary
from clary.engines.answers import EngineAway, LogLine, Place, Resources
from clary.engines.line import Line, NoRoom
from clary.engines.ray.errors import Lost, Unfit
from clary.engines.ray.ledger import Gang, Ledger
from clary.engines.ray.link import Link
from clary.instance.spec import InstanceSpec, InstanceStatus, Outcome

log = logging.getLogger(__name__)

PLACERS = 16
PLACING_SECONDS = 90.0
AGAIN = 2.0
"""Seconds until a gang is placed again that the cluster did not take, and until the line is looked at again."""
TURNS = 30
"""Of looks at the line, until all is looked at."""


class RayEngine:
    shares_disk = False
    pulls = False

    def __init__(self, directory: Path, address: str, options: Mapping[str, Any]) -> None:
        """`address` is that of a Ray client server, `ray://host:10001`; `options` are keyword arguments of the process
        engines on the nodes."""
        self.directory = directory
        self._ledger = Ledger(directory)
        self._options = dict(options)
        self._callbacks: list[Callable[[str], None]] = []
        self._pool = ThreadPoolExecutor(PLACERS, thread_name_prefix="ray-placing")
        self._closed = threading.Event()
        self._agreeing = threading.Lock()
        self._gang_locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._placed_later: set[str] = set()
        """Names of the gangs for which a timer runs."""
        self._line = Line(directory / "line", self.places, self._begin, oversubscribe=False)
        self._link = Link(address, self._ledger.namespace(), self._agree, self._hint)
        threading.Thread(target=self._tend, name="ray-tending", daemon=True).start()

    def start(self, gang: Sequence[InstanceSpec]) -> None:
        held = [self._ledger.holds(spec.id) for spec in gang]
        if not any(held):
            self._line.join(gang)
        elif not all(held):
            # Its room was reserved as a whole.
            self._begin(gang, None, 0.0)

    def poll(self, instance_id: str) -> InstanceStatus:
        waiting = self._line.status(instance_id)
        if waiting is not None:
            return waiting
        status = self._ledger.status(instance_id)
        if status.phase == "Done" or not self._ledger.placed(instance_id):
            return status
        try:
            waited = {phase: at for phase, at in status.entered.items() if phase == "Pending"}
            status = InstanceStatus.from_json(self._ask(instance_id, "poll"))
            status.entered = {**waited, **status.entered}
        except Lost as lost:
            return self._end(instance_id, "Failed", f"InternalServerError: {lost}", lost=True)
        self._ledger.keep(instance_id, status)
        return status

    def stop(self, instance_id: str) -> None:
        if self._line.stop(instance_id):
            self._hint(instance_id)
            return
        self._ledger.stop(instance_id)
        if self._ledger.placed(instance_id):
            with suppress(Lost):
                self._ask(instance_id, "stop")
        else:
            # Who places it looks at the mark.
            self._pool.submit(self._place, self._ledger.gang(instance_id))

    def logs(self, instance_id: str, offset: int) -> tuple[list[LogLine], int]:
        if self._line.status(instance_id) is None and self._ledger.placed(instance_id):
            with suppress(Lost):
                lines, reached = self._ask(instance_id, "logs", offset)
                return [LogLine(at, text) for at, text in lines], reached
        return [], offset

    def address(self, instance_id: str) -> str:
        # Once it has one it stays: the cluster is not asked again.
        return self._ledger.status(instance_id).address or self.poll(instance_id).address

    def output(self, instance_id: str, name: str) -> Path | None:
        """Outputs of instances on other machines have destinations: there is none to be taken here."""
        if self._line.status(instance_id) is None:
            self._ledger.spec(instance_id)
        raise NotImplementedError(f"{name} of {instance_id} lies on another machine, and has no destination.")

    def release(self, instance_id: str) -> None:
        if self._line.release(instance_id):
            return
        gang = self._ledger.gang(instance_id)
        self._ledger.remove(instance_id)
        # Where the cluster is away this is done when it is back.
        with suppress(EngineAway):
            self._link.call("kill", instance_id)
            if self._is_gone(gang):
                self._link.call("free", gang.name)
        self._forget(gang)
        self._line.look()

    def places(self) -> list[Place]:
        places: list[Place] = self._link.call("places")
        return places

    def instances(self) -> list[str]:
        return [*self._ledger.ids(), *self._line.instances()]

    def on_change(self, callback: Callable[[str], None]) -> None:
        self._callbacks.append(callback)

    def close(self) -> None:
        """Let go of the cluster, on which all goes on as it is."""
        self._closed.set()
        self._link.close()

    def _ask(self, instance_id: str, method: str, *arguments: Any) -> Any:
        return self._link.call("ask", instance_id, method, *arguments)

    def _hint(self, instance_id: str) -> None:
        for callback in self._callbacks:
            callback(instance_id)

    def _begin(self, gang: Sequence[InstanceSpec], _where: Sequence[str] | None, since: float) -> None:
        """Called by the line when there seems to be room. Ray chooses the nodes: as many as there are."""
        noted = self._ledger.write(gang)
        try:
            with self._gang_locks[noted.name]:
                if not self._reserve(noted):
                    raise NoRoom
        except (NoRoom, EngineAway):
            for spec in gang:
                if not self._ledger.placed(spec.id):
                    self._ledger.remove(spec.id)
            raise
        if since:
            for spec in gang:
                self._ledger.keep(spec.id, InstanceStatus("Starting", {"Pending": since}))
        self._pool.submit(self._place, noted)

    def _reserve(self, gang: Gang) -> bool:
        wants = [Resources.of(self._ledger.spec(instance_id)) for instance_id in gang.ids]
        reserved: bool = self._link.call("reserve", gang.name, wants)
        return reserved

    def _place(self, gang: Gang) -> None:
        """Give the gang its actors, or try again later."""
        with self._gang_locks[gang.name]:
            try:
                self._try_to_place(gang)
            except (EngineAway, Lost, KeyError) as error:
                log.info("gang %s is not placed yet: %s", gang.ids[0], error)
                self._place_later(gang)
            except Exception as error:
                if not isinstance(error, Unfit):
                    log.exception("gang %s could not be placed", gang.ids[0])
                self._fail(gang, f"InternalServerError: {error}")
        self._forget(gang)

    def _place_later(self, gang: Gang) -> None:
        """Once, however often it fails meanwhile: each agreement tries too."""
        if gang.name in self._placed_later:
            return
        self._placed_later.add(gang.name)

        def place() -> None:
            self._placed_later.discard(gang.name)
            self._pool.submit(self._place, gang)

        again = threading.Timer(AGAIN, place)
        again.daemon = True
        again.start()

    def _is_gone(self, gang: Gang) -> bool:
        return not any(map(self._ledger.holds, gang.ids))

    def _forget(self, gang: Gang) -> None:
        """Its lock, once nobody can want it: names are not used again."""
        if self._is_gone(gang):
            self._gang_locks.pop(gang.name, None)

    def _try_to_place(self, gang: Gang) -> None:
        held = [instance_id for instance_id in gang.ids if self._ledger.holds(instance_id)]
        fresh = [instance_id for instance_id in held if self._is_to_begin(instance_id)]
        # One that was cut in half before any was placed is started again, as a whole.
        if not fresh or (len(held) < len(gang.ids) and not any(map(self._ledger.placed, held))):
            return
        specs = {instance_id: self._ledger.spec(instance_id) for instance_id in held}
        if not self._reserve(gang):
            raise Lost("its room is gone")
        members = [(gang.ids.index(each), each, Resources.of(specs[each])) for each in fresh]
        nodes: dict[str, str] = self._link.call(
            "place", gang.name, members, clary.__version__, self._options, seconds=PLACING_SECONDS
        )
        hosts = {spec.hostname: nodes.get(each) or self._ledger.placed(each) for each, spec in specs.items()}
        for instance_id in fresh:
            spec = replace(specs[instance_id], hosts=hosts if len(hosts) > 1 else {})
            self._ask(instance_id, "start", spec.to_json())
            self._follow(instance_id, nodes[instance_id])

    def _is_to_begin(self, instance_id: str) -> bool:
        if self._ledger.placed(instance_id) or self._ledger.status(instance_id).phase == "Done":
            return False
        if self._ledger.is_stopped(instance_id):
            self._end(instance_id, "Stopped")
            return False
        return True

    def _follow(self, instance_id: str, node: str) -> None:
        try:
            self._ledger.place(instance_id, node)
            if self._ledger.is_stopped(instance_id):
                self._ask(instance_id, "stop")
        except KeyError:
            # Released meanwhile.
            self._link.call("kill", instance_id)
            return
        self._link.call("watch", instance_id)
        self._hint(instance_id)

    def _fail(self, gang: Gang, reason: str) -> None:
        for instance_id in filter(self._ledger.holds, gang.ids):
            self._end(instance_id, "Failed", reason)
            with suppress(EngineAway):
                self._link.call("kill", instance_id)

    def _end(self, instance_id: str, outcome: Outcome, reason: str = "", *, lost: bool = False) -> InstanceStatus:
        status = self._ledger.status(instance_id)
        status.phase, status.outcome, status.reason, status.lost = "Done", outcome, reason, lost
        status.entered["Done"] = time.time()
        self._ledger.keep(instance_id, status)
        self._hint(instance_id)
        return status

    def _agree(self) -> None:
        """Make what is here and what is on the cluster one, each time that it was reached, and now and then."""
        with suppress(EngineAway), self._agreeing:
            found, gangs = self._link.call("found")
            for instance_id in found:
                if not self._ledger.holds(instance_id):
                    self._link.call("kill", instance_id)
            known = {gang.name: gang for gang in map(self._ledger.gang, self._ledger.ids())}
            for name in gangs:
                if name not in known:
                    self._link.call("free", name)
            for instance_id in self._ledger.ids():
                if self._ledger.placed(instance_id) and self._ledger.status(instance_id).phase != "Done":
                    self._link.call("watch", instance_id)
                    self._hint(instance_id)
            for gang in known.values():
                self._pool.submit(self._place, gang)
            self._line.take_up(self._ledger.ids())

    def _tend(self) -> None:
        """Others use the cluster too, and give no hint when they leave room."""
        for turn in itertools.count(1):
            if self._closed.wait(AGAIN):
                return
            if turn % TURNS == 0:
                self._agree()
            elif self._line.gangs():
                self._line.look()
