"""Live records are kept moving: recovered, woken, hinted, tried again, each at its time and none at another's cost."""

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from clary.control import outage, rounds
from clary.control.supervisor import Reconciler, Supervisor
from clary.database import open_database
from clary.records.errors import Stale
from clary.records.record import Kind, Record, Scope, State
from clary.records.store import Records

BUSY, DONE = State("Busy"), State("Done")
KIND = Kind("thing", {BUSY: frozenset({DONE})}, live=frozenset({"Busy"}))
OTHER = Kind("other thing", {BUSY: frozenset({DONE})}, live=frozenset({"Busy"}))
LONG = 3600.0
Start = Callable[..., Supervisor]


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return open_database(f"sqlite:///{tmp_path / 'clary.db'}")


@pytest.fixture
def records(engine: Engine) -> Records:
    return Records(engine)


@pytest.fixture
async def start(records: Records) -> AsyncIterator[Start]:
    """Starts supervisors, which are closed in the end."""
    started: list[Supervisor] = []

    def start(*reconcilers: Reconciler, workers: int = 4) -> Supervisor:
        started.append(Supervisor(records, workers))
        started[-1].start(reconcilers)
        return started[-1]

    yield start
    for supervisor in started:
        await supervisor.close()


class Scripted:
    """A reconciler whose steps return, or raise, what they are told to."""

    def __init__(self, *outcomes: float | Exception | None, kind: Kind = KIND) -> None:
        self.kind = kind
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


def make(records: Records, name: str, kind: Kind = KIND, **more: Any) -> Record:
    return records.create(kind, Scope("123456789012", "us-east-1"), name, f"arn:{name}", {}, BUSY, **more)


async def test_what_lives_is_taken_up_at_the_start(records: Records, start: Start) -> None:
    with records.together():
        made = [make(records, str(number)) for number in range(3 * rounds.PAGE)]
    records.transition(made.pop(), DONE)
    reconciler = Scripted()
    start(reconciler)
    await reconciler.took(len(made))
    assert sorted(reconciler.steps) == sorted(record.id for record in made)


async def test_a_wake_and_a_hint_cut_the_wait_short(records: Records, start: Start) -> None:
    record = make(records, "one")
    reconciler = Scripted(LONG, LONG, None)
    supervisor = start(reconciler)
    await reconciler.took(1)
    supervisor.wake(KIND, record.id)
    await reconciler.took(1)
    supervisor.hint(f"{record.id}-1")
    await reconciler.took(1)


async def test_what_is_made_with_others_is_stepped_once_all_of_it_is_there(records: Records, start: Start) -> None:
    reconciler = Scripted(None, None)
    supervisor = start(reconciler)
    with records.together():
        record = make(records, "one")
        supervisor.wake(KIND, record.id)
        # All that was posted to the loop until now is done when this goes on.
        await asyncio.sleep(0)
        assert not supervisor._entries
    await reconciler.took(1)
    assert reconciler.steps == [record.id]


async def test_a_hint_finds_a_record_that_waits_for_nothing_else(records: Records, start: Start) -> None:
    record = make(records, "one")
    reconciler = Scripted(None, None)
    supervisor = start(reconciler)
    await reconciler.took(1)
    supervisor.hint(f"{record.id}-1")
    await reconciler.took(1)
    records.transition(record, DONE)
    supervisor.hint(f"{record.id}-1")
    supervisor.hint("no-such-record-1")
    supervisor.wake(KIND, record.id)
    await reconciler.took(1)
    assert len(reconciler.steps) == 3


async def test_a_delay_that_is_over_is_a_step(records: Records, start: Start) -> None:
    make(records, "one")
    reconciler = Scripted(0.01, 0.01, None)
    start(reconciler)
    await reconciler.took(3)


async def test_a_child_wakes_its_parent(records: Records, start: Start) -> None:
    parent = make(records, "one")
    child = make(records, "two", OTHER, parent=parent.id)
    parents, children = Scripted(LONG), Scripted(LONG, kind=OTHER)
    start(parents, children)
    await parents.took(1)
    await children.took(1)
    await asyncio.to_thread(records.transition, child, DONE)
    await parents.took(1)
    assert (len(parents.steps), len(children.steps)) == (2, 1)


async def test_a_timer_goes_off_once_and_survives_a_restart(records: Records, start: Start) -> None:
    reconciler = Scripted()
    # It does not live, so that nothing but its timer leads to a step.
    record = records.transition(make(records, "one"), DONE, wake_at=time.time() + 0.2)
    supervisor = start(reconciler)
    await reconciler.took(1)
    assert time.time() >= (record.wake_at or 0.0)
    while records.load(record.id).wake_at is not None:
        await asyncio.sleep(0.01)
    taken = len(reconciler.steps)
    again = time.time() + 1.0
    records.update(records.load(record.id), {}, wake_at=again)
    await supervisor.close()
    assert len(reconciler.steps) == taken
    start(reconciler)
    await reconciler.took(1)
    assert time.time() >= again


async def test_a_timer_whose_step_failed_is_kept(records: Records, start: Start) -> None:
    records.transition(make(records, "one", wake_at=1.0), DONE)
    reconciler = Scripted(RuntimeError("bad luck"), LONG)
    start(reconciler)
    await reconciler.took(1)
    assert records.agenda.due(2.0, None, 9) != []
    await reconciler.took(1)
    while records.agenda.due(2.0, None, 9):
        await asyncio.sleep(0.01)


async def test_a_failed_step_is_tried_again_and_told_now_and_then(
    records: Records, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    record = make(records, "one")
    reconciler = Scripted(RuntimeError("bad luck"), Stale(), RuntimeError("bad luck"), None)
    start(reconciler)
    await reconciler.took(4)
    (told,) = [line for line in caplog.records if record.id in line.getMessage()]
    assert told.exc_info is not None


async def test_a_step_that_overtakes_itself_is_told_of_and_slowed(
    records: Records, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    record = make(records, "one")
    reconciler = Scripted(*[Stale() for _ in range(7)], None)
    began = time.monotonic()
    start(reconciler)
    await reconciler.took(8)
    assert time.monotonic() - began > 0.3
    assert len([line for line in caplog.records if record.id in line.getMessage()]) == 1


async def test_news_during_the_last_step_is_not_lost(records: Records, start: Start) -> None:
    record = make(records, "one")
    loop = asyncio.get_running_loop()

    class Last(Scripted):
        def step(self, record_id: str) -> float | None:
            if not self.steps:
                supervisor.wake(KIND, record.id)
                # Calls to the loop are run in order: once this one was, so was the wake.
                asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop).result(10)
            return super().step(record_id)

    reconciler = Last(None, None)
    supervisor = start(reconciler)
    await reconciler.took(2)


async def test_slow_steps_of_one_kind_leave_the_others_a_worker(records: Records, start: Start) -> None:
    for number in range(20):
        make(records, f"slow-{number}")
    gate = threading.Event()

    class Slow(Scripted):
        def step(self, record_id: str) -> float | None:
            super().step(record_id)
            gate.wait(10)
            return None

    slow, quick = Slow(), Scripted(0.0, 0.0, None, kind=OTHER)
    supervisor = start(slow, quick, workers=2)
    await slow.took(3)
    supervisor.wake(OTHER, make(records, "quick", OTHER).id)
    await quick.took(3)
    assert len(slow.steps) == 3
    gate.set()
    await slow.took(17)


async def test_a_record_that_is_never_at_rest_does_not_keep_others_from_their_turn(
    records: Records, start: Start
) -> None:
    restless = make(records, "restless")
    at_rest: list[str] = []

    class Greedy(Scripted):
        def step(self, record_id: str) -> float | None:
            super().step(record_id)
            if record_id != restless.id:
                at_rest.append(record_id)
            return None if record_id != restless.id or len(at_rest) == 50 else 0.0

    reconciler = Greedy()
    supervisor = start(reconciler, workers=0)
    await reconciler.took(2)
    for number in range(50):
        supervisor.wake(KIND, make(records, str(number)).id)
    for _ in range(500):
        await asyncio.sleep(0.01)
        if len(at_rest) == 50:
            break
    assert len(set(at_rest)) == 50


async def test_no_record_is_stepped_twice_at_once(records: Records, start: Start) -> None:
    made = [make(records, str(number)) for number in range(3)]
    running: set[str] = set()
    twice: list[str] = []

    class Careful(Scripted):
        def step(self, record_id: str) -> float | None:
            if record_id in running:
                twice.append(record_id)
            running.add(record_id)
            time.sleep(0.001)
            running.discard(record_id)
            return super().step(record_id)

    reconciler = Careful()
    supervisor = start(reconciler)
    for _ in range(100):
        for record in made:
            supervisor.wake(KIND, record.id)
            supervisor.hint(f"{record.id}-1")
        await asyncio.sleep(0.001)
    await reconciler.took(10)
    assert twice == []


async def test_a_wake_that_was_lost_is_made_good_by_the_net(
    records: Records, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "NET_PAUSE", 0.01)
    reconciler = Scripted()
    start(reconciler)
    record = await asyncio.to_thread(make, records, "forgotten")
    await reconciler.took(2)
    assert set(reconciler.steps) == {record.id}


async def test_a_database_that_is_away_is_waited_for_and_told_of_once(
    records: Records, start: Start, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outage, "SHORTEST_PAUSE", 0.01)
    away = threading.Event()
    asked = threading.Semaphore(0)
    gone = OperationalError("SELECT", {}, Exception("server closed the connection"), connection_invalidated=True)

    def answers() -> None:
        asked.release()
        if away.is_set():
            raise gone

    monkeypatch.setattr(records.agenda, "answers", answers)
    made = [make(records, str(number)) for number in range(8)]

    class Cut(Scripted):
        def step(self, record_id: str) -> float | None:
            super().step(record_id)
            if away.is_set():
                raise gone
            return LONG

    reconciler = Cut()
    away.set()
    with caplog.at_level(logging.WARNING):
        start(reconciler)
        for _ in range(5):
            assert await asyncio.to_thread(asked.acquire, timeout=10)
        assert len(reconciler.steps) <= 5
        away.clear()
        while set(reconciler.steps[-8:]) != {record.id for record in made}:
            await asyncio.sleep(0.01)
    lines = [record.getMessage() for record in caplog.records]
    assert len([line for line in lines if "away" in line]) == 1
    assert lines[-1] == "the database is back"
