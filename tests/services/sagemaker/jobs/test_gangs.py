"""The kit for jobs under a family of its own, which is no training: gangs of real processes, stepped by hand."""

import sys
from collections.abc import Sequence
from typing import Any

import pytest

from clary.control.house import House
from clary.instance.spec import InstanceSpec, InstanceStatus, Output
from clary.records.log_reader import HEAD, Window
from clary.records.log_rows import Lines
from clary.records.record import Kind, Record, Scope, State
from clary.services.sagemaker.errors import JobError
from clary.services.sagemaker.jobs.attempts import Attempt, instance_id
from clary.services.sagemaker.jobs.base import Findings
from clary.services.sagemaker.jobs.course import Course
from clary.services.sagemaker.jobs.gang import together
from clary.services.sagemaker.jobs.lifecycle import JobReconciler
from tests.programs import wait_until

BEGUN, RUNNING, STOPPING = State("InProgress", "Begun"), State("InProgress", "Running"), State("Stopping")
AGAIN = State("InProgress", "Again")
COMPLETED, FAILED, STOPPED = State("Completed"), State("Failed"), State("Stopped")
DRILL = Kind(
    "drill",
    transitions={
        BEGUN: frozenset({RUNNING, AGAIN, STOPPING, FAILED}),
        RUNNING: frozenset({AGAIN, STOPPING, COMPLETED, FAILED, STOPPED}),
        AGAIN: frozenset({RUNNING, AGAIN, STOPPING, FAILED}),
        STOPPING: frozenset({STOPPED, FAILED}),
    },
    live=frozenset({"InProgress", "Stopping"}),
)
WAITS = "import time; print('waiting', flush=True); time.sleep(600)"
SCOPE = Scope("123456789012", "us-east-1")


class Drill:
    """Each instance runs the program that the document has for it."""

    kind = DRILL
    course = Course(
        progress={"Running": RUNNING},
        stopping=STOPPING,
        ended={"Completed": COMPLETED, "Failed": FAILED, "Stopped": STOPPED, "MaxRuntimeExceeded": STOPPED},
        messages={state: state.status for state in (RUNNING, AGAIN, STOPPING, COMPLETED, FAILED, STOPPED)},
        restarting=AGAIN,
    )
    log_group = "/drills"
    verb = "Drill"

    def __init__(self) -> None:
        self.kept: list[str] = []

    def size(self, record: Record) -> int:
        return len(record.document["Programs"])

    def specs(self, _house: House, record: Record) -> Sequence[InstanceSpec]:
        if "Refusal" in record.document:
            raise JobError(record.document["Refusal"])
        return [
            InstanceSpec(
                instance_id(record, number),
                [sys.executable, "-c", source],
                interpreter=sys.executable,
                hostname=f"algo-{number}",
                outputs=[Output("out.tar.gz", "/opt/ml/output")],
                isolated=record.document.get("Isolated", False),
                grace=1.0,
            )
            for number, source in enumerate(record.document["Programs"], 1)
        ]

    def log_stream(self, record: Record, number: int) -> str:
        attempt = Attempt.of(record).number
        return f"{record.name}/algo-{number}" + (f"-again-{attempt}" if attempt else "")

    def read(self, _record: Record, _lines: Lines) -> Findings:
        return Findings()

    def account(self, _house: House, _record: Record) -> dict[str, Any]:
        return {}

    def keep(self, _house: House, record: Record, _status: InstanceStatus) -> dict[str, Any]:
        self.kept.append(record.name)
        return {"Kept": True}


@pytest.fixture
def reconciler(house: House) -> JobReconciler:
    return JobReconciler(house, Drill())


def begin(house: House, *programs: str, **document: Any) -> Record:
    return house.records.create(DRILL, SCOPE, "d", "arn:d", {"Programs": list(programs), **document}, BEGUN)


def ended(house: House, reconciler: JobReconciler, record: Record) -> Record:
    wait_until(lambda: reconciler.step(record.id) is None)
    return house.records.load(record.id)


def printed(house: House, stream: str) -> list[str]:
    return [event.text for event in house.logs.read(SCOPE, "/drills", stream, Window(), HEAD, 100)]


def test_a_gang_ends_when_its_last_instance_has(house: House, reconciler: JobReconciler) -> None:
    record = begin(house, "print('one')", "import time; time.sleep(0.5); print('two')")
    seen = ended(house, reconciler, record)
    assert seen.state == COMPLETED
    assert seen.document["Kept"]
    assert seen.document["DrillEndTime"] - seen.document["DrillStartTime"] >= 0.5
    assert printed(house, "d/algo-1")[-1] == "one"
    assert printed(house, "d/algo-2")[-1] == "two"
    assert not list(house.engine.instances())


def test_one_that_fails_stops_the_others_and_gives_the_reason(house: House, reconciler: JobReconciler) -> None:
    record = begin(house, WAITS, "raise SystemExit('the second broke')", WAITS)
    seen = ended(house, reconciler, record)
    assert seen.state == FAILED
    assert "the second broke" in seen.document["FailureReason"]
    assert not list(house.engine.instances())


def test_a_gang_that_was_half_started_is_completed(house: House, reconciler: JobReconciler) -> None:
    """As after a kill between the starts of two instances."""
    record = begin(house, "print('one')", "print('two')")
    house.engine.start(Drill().specs(house, record)[1:])
    assert ended(house, reconciler, record).state == COMPLETED
    assert printed(house, "d/algo-1")[-1] == "one"


def test_a_stop_reaches_all(house: House, reconciler: JobReconciler) -> None:
    record = begin(house, WAITS, WAITS)
    wait_until(lambda: reconciler.step(record.id) is not None and house.records.load(record.id).state == RUNNING)
    house.records.transition(house.records.load(record.id), STOPPING)
    assert ended(house, reconciler, record).state == STOPPED


def test_a_stop_before_the_start_starts_nothing(house: House, reconciler: JobReconciler) -> None:
    record = begin(house, WAITS)
    house.records.transition(record, STOPPING)
    assert reconciler.step(record.id) is None
    assert house.records.load(record.id).state == STOPPED
    assert not list(house.engine.instances())


def test_what_the_user_must_mend_fails_the_job(house: House, reconciler: JobReconciler) -> None:
    record = begin(house, WAITS, Refusal="ClientError: no such thing")
    assert reconciler.step(record.id) is None
    seen = house.records.load(record.id)
    assert seen.state == FAILED
    assert seen.document["FailureReason"] == "ClientError: no such thing"


class TestTogether:
    def test_the_slowest_decides_the_phase(self) -> None:
        quick = InstanceStatus("Running", {"Starting": 1.0, "Downloading": 2.0, "Running": 3.0})
        slow = InstanceStatus("Downloading", {"Starting": 1.5, "Downloading": 4.0})
        assert together([quick, slow]) == InstanceStatus("Downloading", {"Starting": 1.5, "Downloading": 4.0})

    def test_the_first_that_went_wrong_decides_the_outcome(self) -> None:
        statuses = [
            InstanceStatus("Done", {"Done": 1.0}, "Completed", 0),
            InstanceStatus("Done", {"Done": 3.0}, "Stopped", -15),
            InstanceStatus("Done", {"Done": 2.0}, "Failed", 1, "AlgorithmError: why"),
        ]
        found = together(statuses)
        assert (found.outcome, found.exit_code, found.reason) == ("Failed", 1, "AlgorithmError: algo-3: why")
        assert found.entered == {"Done": 3.0}

    def test_a_reason_of_no_kind_is_named_too(self) -> None:
        failed = InstanceStatus("Done", {"Done": 1.0}, "Failed", None, "The file a: b")
        assert together([failed, failed]).reason == "algo-1: The file a: b"
        assert together([failed]).reason == "The file a: b"

    def test_an_internal_error_begins_with_the_words_of_aws(self) -> None:
        lost = InstanceStatus("Done", {"Done": 1.0}, "Failed", None, "InternalServerError: It was lost.")
        sorry = "InternalServerError: We encountered an internal error. Please try again. "
        assert together([lost]).reason == f"{sorry}It was lost."
        assert together([lost, lost]).reason == f"{sorry}algo-1: It was lost."

    def test_a_long_reason_keeps_its_end(self) -> None:
        long = "AlgorithmError: " + "x" * 1004 + "exit code: 1"
        failed = InstanceStatus("Done", {"Done": 1.0}, "Failed", 1, long)
        reason = together([failed, failed]).reason
        assert len(reason) == 1024
        assert reason.startswith("AlgorithmError: algo-1: x")
        assert reason.endswith("exit code: 1")
