"""What 10,000 live records cost that wait, and how soon one of them is stepped when something happens.

    python -m benchmarks.supervisor [records]

A step loads its record and waits for the next wake, as a job does for which there is no room. Beside the supervisor
runs the bare way: a task and an event for each record, which one could not do with less code. Each has a process of
its own and a SQLite database of its own; memory is what it added to the process.
"""

import asyncio
import os
import random
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Protocol

import uvloop
from rich.console import Console
from rich.table import Table

from benchmarks.idle import memory
from clary.control.supervisor import WORKERS, Supervisor
from clary.database import open_database
from clary.records.record import Kind, Record, Scope, State
from clary.records.rows import to_row
from clary.records.store import Records
from clary.records.tables import records as table

IDLE_SECONDS = 20.0
WAKES = 1000
WAITING = State("InProgress", "Pending")
JOB = Kind("waiting-job", {}, live=frozenset({"InProgress"}))
SERVICE = Kind("watched-service", {}, live=frozenset({"InProgress"}))
SCOPE = Scope("123456789012", "us-east-1")


@dataclass
class Waiting:
    """A reconciler of records that wait for a wake."""

    kind: Kind
    records: Records
    steps: int = 0
    sought: str = ""
    seen: float = 0.0
    counting: threading.Lock = field(default_factory=threading.Lock)
    found: threading.Event = field(default_factory=threading.Event)

    def step(self, record_id: str) -> float | None:
        if record_id == self.sought:
            self.sought, self.seen = "", time.perf_counter()
            self.found.set()
        self.records.load(record_id)
        with self.counting:
            self.steps += 1
        return None


class Keeper(Protocol):
    """Keeps records moving."""

    def start(self, reconcilers: list[Waiting]) -> None: ...

    def wake(self, kind: Kind, record_id: str) -> None: ...


class Tasks:
    """A task, an event and a timeout for each record."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._threads = ThreadPoolExecutor(WORKERS)
        self._events: dict[str, asyncio.Event] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, reconcilers: list[Waiting]) -> None:
        self._loop = asyncio.get_running_loop()
        for reconciler in reconcilers:
            for record in self._records.live(reconciler.kind):
                self._events[record.id] = asyncio.Event()
                self._tasks.append(self._loop.create_task(self._look_after(reconciler, record.id)))

    def wake(self, _kind: Kind, record_id: str) -> None:
        self._loop.call_soon_threadsafe(self._events[record_id].set)

    async def _look_after(self, reconciler: Waiting, record_id: str) -> None:
        event = self._events[record_id]
        while True:
            event.clear()
            await self._loop.run_in_executor(self._threads, reconciler.step, record_id)
            await asyncio.wait_for(event.wait(), 3600.0)


@dataclass
class Measured:
    ready: float
    """Seconds until `start` returned and the loop answered."""
    taken_up: float
    """Seconds until each record was stepped once."""
    idle: float
    """Percent of a core."""
    added: float
    """MiB."""
    wake_p50: float
    """Milliseconds from a wake to the beginning of the step, as the two below."""
    wake_p99: float
    other_p99: float
    """Of a record of another kind, while all of the first were woken at once."""
    flood: float
    """Seconds until all that were woken at once were stepped."""


def fill(path: Path, jobs: int) -> tuple[Records, list[str], str]:
    """So many waiting jobs and one service; returns their ids."""
    database = open_database(f"sqlite:///{path}")
    records = Records(database)
    now = time.time()

    def row(kind: Kind, number: int) -> Record:
        document = {"HyperParameters": {str(key): "0.123456789" for key in range(20)}}
        name = f"{kind.name}-{number:06d}"
        return Record(f"{name:0>30}"[-30:], kind.name, SCOPE, name, f"arn:{name}", WAITING, document, now, now, 1)

    made = [row(JOB, number) for number in range(jobs)]
    service = row(SERVICE, 0)
    with database.begin() as connection:
        connection.execute(table.insert(), [to_row(record) for record in [*made, service]])
    return records, [record.id for record in made], service.id


def keep(make: Callable[[Records], Keeper], jobs: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as directory:
        records, ids, service = fill(Path(directory) / "clary.db", jobs)
        return asdict(uvloop.run(measure(make(records), records, ids, service)))


async def measure(keeper: Keeper, records: Records, ids: list[str], service: str) -> Measured:
    waiting, watched = Waiting(JOB, records), Waiting(SERVICE, records)

    async def stepped(steps: int) -> float:
        while waiting.steps < steps:
            await asyncio.sleep(0.01)
        return time.perf_counter()

    async def react(reconciler: Waiting, record_id: str) -> float:
        """Milliseconds."""
        reconciler.found.clear()
        reconciler.sought, began = record_id, time.perf_counter()
        keeper.wake(reconciler.kind, record_id)
        await asyncio.to_thread(reconciler.found.wait)
        return (reconciler.seen - began) * 1000

    before = memory([os.getpid()], "Rss")
    began = time.perf_counter()
    keeper.start([waiting, watched])
    await asyncio.sleep(0)
    ready = time.perf_counter() - began
    taken_up = await stepped(len(ids)) - began
    used, began = time.process_time(), time.perf_counter()
    await asyncio.sleep(IDLE_SECONDS)
    idle = (time.process_time() - used) / (time.perf_counter() - began) * 100
    added = memory([os.getpid()], "Rss") - before
    alone = [await react(waiting, record_id) for record_id in random.sample(ids, min(WAKES, len(ids)))]

    def wake_all() -> int:
        """How many steps there will have been when each was stepped."""
        for record_id in ids:
            keeper.wake(JOB, record_id)
        return waiting.steps + len(ids)

    began = time.perf_counter()
    flood = await stepped(wake_all()) - began
    among: list[float] = []
    last = wake_all()
    while waiting.steps < last:
        among.append(await react(watched, service))
    return Measured(ready, taken_up, idle, added, statistics.median(alone), _p99(alone), _p99(among), flood)


def _p99(times: list[float]) -> float:
    return sorted(times)[int(len(times) * 0.99)]


ROWS = {
    "ready": ("start-up, until the loop answers", "s", 1.0),
    "taken_up": ("… until each was stepped once", "s", None),
    "idle": ("processor, while all wait (% of a core)", "%", 2.0),
    "added": ("memory added", "MiB", None),
    "wake_p50": ("wake to step, p50", "ms", None),
    "wake_p99": ("wake to step, p99", "ms", None),
    "other_p99": ("… of another kind while all are woken, p99", "ms", None),
    "flood": ("all woken at once, until each was stepped", "s", None),
}


def main(jobs: int) -> None:
    found = []
    for make in (Supervisor, Tasks):
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
            found.append(process.submit(keep, make, jobs).result())
    output = Table("", "supervisor", "a task each", "ratio", "goal", title=f"{jobs:,} records that wait")
    for name, (title, unit, goal) in ROWS.items():
        own, bare = found[0][name], found[1][name]
        ratio = f"{own / bare:.2f}" if bare >= 0.01 else ""
        output.add_row(title, f"{own:.2f} {unit}", f"{bare:.2f} {unit}", ratio, f"{goal:g} {unit}" if goal else "")
    Console().print(output)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
