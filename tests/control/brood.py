"""Parents, children and timers that keep a supervisor busy, for tests to watch and to kill.

    brood: Running ─ all its chicks have ended ─▶ Ended;  Stopping ─ they are stopped ─▶ Stopped
    chick: Running ─ its timer went off three times ─▶ Ended;  Stopping ─▶ Stopped

No step asks for a delay: a wake or a timer that is lost is a record that stands still.

    python -m tests.control.brood <database> <seed> <broods>    prints what was acknowledged, then "settled"
"""

import asyncio
import random
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from clary.control import rounds
from clary.control.children import live_children, stop_children
from clary.control.supervisor import Supervisor
from clary.database import open_database
from clary.records.errors import IllegalTransition, NotFound, Stale
from clary.records.record import Kind, Record, Scope, State
from clary.records.store import Records

RUNNING, STOPPING = State("Running"), State("Stopping")
ENDED, STOPPED = State("Ended"), State("Stopped")
ROADS = {RUNNING: frozenset({ENDED, STOPPING}), STOPPING: frozenset({STOPPED, ENDED})}
LIVE = frozenset({"Running", "Stopping"})
BROOD = Kind("brood", ROADS, LIVE)
CHICK = Kind("chick", ROADS, LIVE)
SCOPE = Scope("123456789012", "us-east-1")
RINGS = 3


class Once:
    """Sees to it that no record is stepped twice at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[str] = set()

    @contextmanager
    def stepping(self, record_id: str) -> Iterator[None]:
        with self._lock:
            if record_id in self._running:
                print(f"twice {record_id}", flush=True)
            self._running.add(record_id)
        try:
            yield
        finally:
            with self._lock:
                self._running.discard(record_id)


class Broods:
    kind = BROOD

    def __init__(self, records: Records, supervisor: Supervisor, once: Once) -> None:
        self._records = records
        self._supervisor = supervisor
        self._once = once

    def step(self, record_id: str) -> float | None:
        with self._once.stepping(record_id), suppress(NotFound):
            record = self._records.load(record_id)
            if record.state == RUNNING:
                if live_children(self._records, record, CHICK) == 0:
                    self._end(record, ENDED)
            elif record.state == STOPPING and stop_children(self._records, record, CHICK, ["Running"], self.stop) == 0:
                self._end(record, STOPPED)
        return None

    def stop(self, chick: Record) -> None:
        self._records.transition(chick, STOPPING)
        self._supervisor.wake(CHICK, chick.id)

    def _end(self, record: Record, state: State) -> None:
        self._records.transition(record, state, document={"Chicks": self._records.count_children(record, CHICK)})


class Chicks:
    kind = CHICK

    def __init__(self, records: Records, once: Once) -> None:
        self._records = records
        self._once = once

    def step(self, record_id: str) -> float | None:
        with self._once.stepping(record_id), suppress(NotFound):
            record = self._records.load(record_id)
            if record.state == STOPPING:
                self._records.transition(record, STOPPED)
            elif record.state == RUNNING and record.wake_at is not None and record.wake_at <= time.time():
                self._ring(record, record.document["Rings"] + 1)
        return None

    def _ring(self, record: Record, rings: int) -> None:
        if rings == RINGS:
            self._records.transition(record, ENDED, document={"Rings": rings})
        else:
            self._records.update(record, {"Rings": rings}, wake_at=time.time() + random.uniform(0.0, 0.02))


def supervise(records: Records) -> Supervisor:
    supervisor = Supervisor(records, workers=4)
    once = Once()
    supervisor.start([Broods(records, supervisor, once), Chicks(records, once)])
    return supervisor


def hatch(records: Records, name: str, chicks: int) -> Record:
    """A brood and its chicks, all of them or none."""
    with records.together():
        brood = records.create(BROOD, SCOPE, name, f"arn:{name}", {}, RUNNING)
        for number in range(chicks):
            chick: dict[str, Any] = {"parent": brood.id, "wake_at": time.time() + random.uniform(0.0, 0.05)}
            records.create(CHICK, SCOPE, f"{name}-{number}", f"arn:{name}-{number}", {"Rings": 0}, RUNNING, **chick)
    return brood


def use(records: Records, supervisor: Supervisor, seed: int, broods: int) -> None:
    """What a user does: makes broods, stops some, deletes some of their chicks."""
    chance = random.Random(seed)
    for number in range(broods):
        brood = hatch(records, f"{seed}-{number}", chance.randint(1, 6))
        print(f"hatched {brood.name}", flush=True)
        time.sleep(chance.uniform(0.0, 0.03))
        try:
            if chance.random() < 0.3:
                records.transition(records.load(brood.id), STOPPING)
                supervisor.wake(BROOD, brood.id)
                print(f"stopped {brood.name}", flush=True)
            if chance.random() < 0.3:
                records.delete(next(records.children(brood, CHICK)))
        except (IllegalTransition, NotFound, Stale, StopIteration):
            continue


async def main(url: str, seed: int, broods: int) -> None:
    rounds.NET_PAUSE = 3600.0
    records = Records(open_database(url))
    supervisor = supervise(records)
    await asyncio.to_thread(use, records, supervisor, seed, broods)
    while any(records.agenda.live_ids(kind, None, 1).ids for kind in (BROOD, CHICK)):
        await asyncio.sleep(0.02)
    print("settled", flush=True)
    await supervisor.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
