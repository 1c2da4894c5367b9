"""Jobs whose instances are lost: tried again with new instances, as often as asked for."""

import math
import os
import signal
from pathlib import Path

import pytest

from clary.app import build_house
from clary.control.house import House
from clary.instance.spec import InstanceStatus
from clary.records.record import Record
from clary.services.sagemaker.jobs.attempts import Attempt, instance_ids, may_be_tried_again
from clary.services.sagemaker.jobs.gang import together
from clary.services.sagemaker.jobs.lifecycle import JobReconciler
from clary.settings import Settings
from tests.programs import wait_until
from tests.services.sagemaker.jobs.test_gangs import (
    AGAIN,
    COMPLETED,
    FAILED,
    RUNNING,
    STOPPED,
    STOPPING,
    WAITS,
    Drill,
    begin,
    ended,
    printed,
)

TWICE = {"RetryStrategy": {"MaximumRetryAttempts": 2}}


@pytest.fixture
def reconciler(house: House) -> JobReconciler:
    return JobReconciler(house, Drill())


def kill_agent(house: House, instance_id: str) -> None:
    lock = house.settings.instances_dir / instance_id / "agent.lock"
    os.kill(int(lock.read_text()), signal.SIGKILL)


def lose(house: House, reconciler: JobReconciler, record: Record, number: int = 2) -> None:
    """Kill the agent of one instance once all programs run, and step until that has been seen."""
    ids = instance_ids(now(house, record), 2)
    wait_until(lambda: reconciler.step(record.id) is not None and all(waits(house, each) for each in ids))
    reconciler.step(record.id)
    lost = ids[number - 1]
    kill_agent(house, lost)
    before = Attempt.of(now(house, record)).number
    wait_until(lambda: reconciler.step(record.id) is None or Attempt.of(now(house, record)).number > before, seconds=20)


def waits(house: House, instance_id: str) -> bool:
    return "waiting" in [line.text for line in house.engine.logs(instance_id, 0)[0]]


def now(house: House, record: Record) -> Record:
    return house.records.load(record.id)


def states(house: House, record: Record) -> list[str]:
    return [event.state.secondary or event.state.status for event in house.records.events(record)]


def test_a_gang_that_lost_an_instance_is_started_anew(house: House, reconciler: JobReconciler) -> None:
    record = begin(house, WAITS, WAITS, **TWICE)
    lose(house, reconciler, record)
    again = now(house, record)
    assert again.state == AGAIN
    assert instance_ids(again, 2) == [f"{record.id}-1r1", f"{record.id}-2r1"]
    quick = {**again.document, "Programs": ["print('one')", "print('two')"]}
    house.records.update(again, quick)
    seen = ended(house, reconciler, record)
    assert seen.state == COMPLETED
    assert states(house, record) == ["Begun", "Running", "Again", "Running", "Completed"]
    assert printed(house, "d/algo-1")[-1] == "waiting"
    assert printed(house, "d/algo-1-again-1")[-1] == "one"
    assert not list(house.engine.instances())


def test_it_fails_when_no_attempt_is_left(house: House, reconciler: JobReconciler) -> None:
    record = begin(house, WAITS, WAITS, RetryStrategy={"MaximumRetryAttempts": 1})
    lose(house, reconciler, record)
    lose(house, reconciler, record, number=1)
    seen = ended(house, reconciler, record)
    assert seen.state == FAILED
    assert seen.document["FailureReason"].startswith(
        "InternalServerError: We encountered an internal error. Please try again. algo-1: "
    )
    assert states(house, record).count("Again") == 1
    assert not list(house.engine.instances())


def test_nothing_is_tried_again_unasked(house: House, reconciler: JobReconciler) -> None:
    record = begin(house, WAITS, WAITS)
    lose(house, reconciler, record)
    assert ended(house, reconciler, record).state == FAILED


def test_an_error_of_the_programs_own_is_not_tried_again(house: House, reconciler: JobReconciler) -> None:
    record = begin(house, WAITS, "raise SystemExit('mine')", **TWICE)
    seen = ended(house, reconciler, record)
    assert seen.state == FAILED
    assert "mine" in seen.document["FailureReason"]


def test_what_would_be_the_same_again_is_not_tried_again(tmp_path: Path) -> None:
    """The machine's refusal is an internal error in AWS's words all the same."""
    house = build_house(Settings(state=tmp_path / "state", sandbox="off"))
    record = begin(house, WAITS, WAITS, Isolated=True, **TWICE)
    seen = ended(house, JobReconciler(house, Drill()), record)
    assert seen.state == FAILED
    assert seen.document["FailureReason"].startswith("InternalServerError: We encountered an internal error.")
    assert "allows no sandbox" in seen.document["FailureReason"]
    assert states(house, record) == ["Begun", "Failed"]


def test_a_loss_that_its_peers_failed_of_first_is_the_cause(house: House) -> None:
    record = begin(house, WAITS, WAITS, **TWICE)
    peer = InstanceStatus("Done", {"Done": 1.0}, "Failed", 1, "AlgorithmError: connection reset, exit code: 1")
    lost = InstanceStatus("Done", {"Done": 31.0}, "Failed", None, "InternalServerError: lost", lost=True)
    status = together([peer, lost])
    assert status.reason == "InternalServerError: We encountered an internal error. Please try again. algo-2: lost"
    assert may_be_tried_again(record, status)
    assert not may_be_tried_again(record, together([peer, peer]))


def test_a_kill_between_any_two_lines_leaves_one_gang(house: House, reconciler: JobReconciler) -> None:
    """As after kills of the platform before the instances of the lost attempt were released, and after a part of the
    new ones was started."""
    record = begin(house, WAITS, WAITS, **TWICE)
    lose(house, reconciler, record)
    again = now(house, record)
    assert f"{record.id}-1" in house.engine.instances()
    house.engine.start(Drill().specs(house, again)[1:])
    another = JobReconciler(house, Drill())
    wait_until(lambda: another.step(record.id) is not None and now(house, record).state == RUNNING)
    house.records.transition(now(house, record), STOPPING)
    assert ended(house, another, record).state == STOPPED
    assert not list(house.engine.instances())


def test_a_stop_while_it_restarts_starts_nothing(house: House, reconciler: JobReconciler) -> None:
    record = begin(house, WAITS, WAITS, **TWICE)
    lose(house, reconciler, record)
    house.records.transition(now(house, record), STOPPING)
    assert reconciler.step(record.id) is None
    assert now(house, record).state == STOPPED
    assert not list(house.engine.instances())


def test_time_that_was_spent_is_counted_and_no_two_attempts_begin_in_one_second() -> None:
    status = InstanceStatus("Done", {"Running": 10.0, "Done": 14.5}, "Failed", None, "InternalServerError: lost")
    first = Attempt(0, began=20.25, spent=1.0)
    second = Attempt(**first.next(status, 20.75)["Attempt"])
    assert (second.number, second.spent) == (1, 5.5)
    assert math.floor(second.began) == 21
