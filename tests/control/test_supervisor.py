"""Live records are kept moving: recovered, woken, hinted, tried again."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from clary.control.supervisor import Supervisor
from clary.database import open_database
from clary.records.errors import Stale
from clary.records.record import Kind, Record, Scope, State
from clary.records.store import Records

BUSY, DONE = State("Busy"), State("Done")
KIND = Kind("thing", {BUSY: frozenset({DONE})}, live=frozenset({"Busy"}))
LONG = 3600.0


@pytest.fixture
def records(tmp_path: Path) -> Records:
    return Records(open_database(f"sqlite:///{tmp_path / 'clary.db'}"))


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


class Scripted:
    """A reconciler whose steps return, or raise, what they are told to."""

    kind = KIND

    def __init__(self, *outcomes: float | Exception | None) -> None:
        self.outcomes = list(outcomes)
        self.steps: list[str] = []
        self.stepped = threading.Semaphore(0)

    def step(self, record_id: str) -> float | None:
        self.steps.append(record_id)
        outcome = self.outcomes.pop(0) if self.outcomes else None
        self.stepped.release()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def took(self, steps: int) -> None:
        for _ in range(steps):
            assert await asyncio.to_thread(self.stepped.acquire, timeout=10)


def make(records: Records, name: str) -> Record:
    return records.create(KIND, Scope("123456789012", "us-east-1"), name, f"arn:{name}", {}, BUSY)


async def test_what_lives_is_taken_up_at_the_start(records: Records, executor: ThreadPoolExecutor) -> None:
    one, two = make(records, "one"), make(records, "two")
    records.transition(make(records, "done"), DONE)
    reconciler = Scripted()
    Supervisor(records, executor).start([reconciler])
    await reconciler.took(2)
    assert sorted(reconciler.steps) == sorted([one.id, two.id])


async def test_a_wake_and_a_hint_cut_the_wait_short(records: Records, executor: ThreadPoolExecutor) -> None:
    record = make(records, "one")
    reconciler = Scripted(LONG, LONG, None)
    supervisor = Supervisor(records, executor)
    supervisor.start([reconciler])
    await reconciler.took(1)
    supervisor.wake(KIND, record.id)
    await reconciler.took(1)
    supervisor.hint(f"{record.id}-1")
    await reconciler.took(1)


async def test_a_delay_that_is_over_is_a_step(records: Records, executor: ThreadPoolExecutor) -> None:
    make(records, "one")
    reconciler = Scripted(0.01, 0.01, None)
    Supervisor(records, executor).start([reconciler])
    await reconciler.took(3)


async def test_a_failed_step_is_tried_again(records: Records, executor: ThreadPoolExecutor) -> None:
    make(records, "one")
    reconciler = Scripted(RuntimeError("bad luck"), Stale(), None)
    Supervisor(records, executor).start([reconciler])
    await reconciler.took(3)


async def test_news_during_the_last_step_is_not_lost(records: Records, executor: ThreadPoolExecutor) -> None:
    record = make(records, "one")
    supervisor = Supervisor(records, executor)
    loop = asyncio.get_running_loop()

    class Last(Scripted):
        def step(self, record_id: str) -> float | None:
            if not self.steps:
                supervisor.wake(KIND, record.id)
                # Calls to the loop are run in order: once this one was, so was the wake.
                asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop).result(10)
            return super().step(record_id)

    reconciler = Last(None, None)
    supervisor.start([reconciler])
    await reconciler.took(2)


async def test_a_hint_of_a_stranger_is_ignored(records: Records, executor: ThreadPoolExecutor) -> None:
    failures: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: failures.append(context))
    record = make(records, "one")
    reconciler = Scripted(LONG, None)
    supervisor = Supervisor(records, executor)
    supervisor.start([reconciler])
    await reconciler.took(1)
    supervisor.hint("no-such-record-1")
    supervisor.hint(f"{record.id}-1")
    await reconciler.took(1)
    assert reconciler.steps == [record.id, record.id]
    assert not failures
