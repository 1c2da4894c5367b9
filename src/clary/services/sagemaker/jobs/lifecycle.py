"""How a job comes to its end: start its gang, follow it, keep what it made.

Each step loads the record, looks at the gang and passes the states in between through the gate, with the times at which
the gang entered them. A step may be repeated after a crash at any point: starting is idempotent, and outputs stay with
the instances until the job has ended, so they can be kept again. A job that is tried again has other instances
(`attempts`).
"""

import time
from collections.abc import Sequence
from typing import Any

from clary.control.house import House
from clary.instance.spec import InstanceSpec, InstanceStatus
from clary.records.errors import NotFound
from clary.records.record import Record, State
from clary.services.sagemaker.errors import JobError
from clary.services.sagemaker.experiments.tracking import keep_track
from clary.services.sagemaker.instances.watching import Printed, keep_logs, read_logs
from clary.services.sagemaker.jobs.attempts import Attempt, may_be_tried_again
from clary.services.sagemaker.jobs.base import Family
from clary.services.sagemaker.jobs.gang import Gang
from clary.services.sagemaker.jobs.interruptions import OVERDUE, WAITED_TOO_LONG, is_interrupted, time_left
from clary.services.sagemaker.jobs.pending import TOO_LONG, passage, patience
from clary.services.sagemaker.jobs.pools import Pools
from clary.services.sagemaker.lineage.tracking import draw_job

LOOK_AGAIN = 30.0
"""Seconds between looks at a gang that gives no hint. The engine hints at all that happens; one may be lost."""


class JobReconciler:
    def __init__(self, house: House, family: Family, pools: Pools | None = None) -> None:
        self.kind = family.kind
        self._house = house
        self._family = family
        self._pools = pools or Pools()

    def step(self, record_id: str) -> float | None:
        try:
            record = self._house.records.load(record_id)
        except NotFound:
            return None
        gang = Gang.of(self._house, record, self._family.size(record))
        if record.state.status in self.kind.live:
            delay = self._advance(record, gang)
            if delay is not None:
                return delay
            record = self._house.records.load(record_id)
        elif self._ran(record):
            draw_job(self._house, record)
        if not self._pools.holds(record):
            gang.release()
        return None

    def _advance(self, record: Record, gang: Gang) -> float | None:
        """None when the job has ended."""
        course = self._family.course

        def specs() -> Sequence[InstanceSpec]:
            """Asked for when the gang is to start: the job's trial component is there before its program is."""
            nonlocal record
            self._keep_track(record)
            record = self._pools.claim(self._house, record)
            return self._family.specs(self._house, record)

        try:
            stopping = course.ends_gang(record.state)
            status = gang.attend(specs, stopping=stopping)
        except JobError as error:
            self._end(record, course.ended["Failed"], time.time(), {"FailureReason": str(error)}, None)
            return None
        record, more = self._ship(record, gang)
        if line := passage(course, record, status):
            state, since = line
            record = self._house.records.transition(record, state, message=course.messages[state], at=since)
        self._tell_of_image(record, status)
        record = self._progress(record, status)
        if more:
            # All that was printed is in the log before the job has ended.
            return 0.0
        interrupted, left = is_interrupted(course, record, status), time_left(record)
        if left <= 0 and record.state != course.stopping and (status.phase != "Done" or interrupted):
            self._stop_overdue(record)
            return 0.0
        if status.phase == "Pending" and not stopping:
            return min(left, self._wait(record, status))
        if status.phase != "Done":
            return min(left, LOOK_AGAIN) if left > 0 else LOOK_AGAIN
        if interrupted:
            self._begin_again(record, status)
            return 0.0
        again, roads = course.restarting, self.kind.transitions[record.state]
        # There is none from a job that is being stopped, nor from one that never got room.
        if again and again in roads and may_be_tried_again(record, status):
            self._restart(record, again, status)
            return 0.0
        self._finish(record, status)
        return None

    def _ran(self, record: Record) -> bool:
        return f"{self._family.verb}StartTime" in record.document

    def _keep_track(self, record: Record) -> None:
        keep_track(self._house, record, self._family.verb, self._family.account(self._house, record))

    def _wait(self, record: Record, status: InstanceStatus) -> float:
        """The engine hints when it is the gang's turn; so many may wait that none is looked at without need."""
        course = self._family.course
        left = patience(record.document, status)
        if left > 0:
            return left
        self._house.records.transition(record, course.stopping, message=TOO_LONG)
        return 0.0

    def _restart(self, record: Record, state: State, status: InstanceStatus) -> None:
        """From this passage on the job's instances are those of its next attempt."""
        document = {**record.document, **Attempt.of(record).next(status, time.time())}
        message = f"{self._family.course.messages[state]} {status.reason}"
        self._house.records.transition(record, state, document=document, message=message)

    def _begin_again(self, record: Record, status: InstanceStatus) -> None:
        """An interrupted job, as if it was created now."""
        document = {**record.document, **Attempt.of(record).next(status, time.time())}
        course = self._family.course
        assert course.pending
        _, starting = course.pending
        self._house.records.transition(record, starting, document=document, message=course.messages[starting])

    def _stop_overdue(self, record: Record) -> None:
        document = {**record.document, OVERDUE: True}
        stopping = self._family.course.stopping
        self._house.records.transition(record, stopping, document=document, message=WAITED_TOO_LONG)

    def _ship(self, record: Record, gang: Gang) -> tuple[Record, bool]:
        """Carry on what the instances printed; returns whether one printed more than was read now."""
        more = False
        for number, instance_id in enumerate(gang.ids, 1):
            stream = self._family.log_stream(record, number)
            try:
                printed = read_logs(self._house, record.scope, self._family.log_group, stream, instance_id)
            except KeyError:
                continue
            if printed.more:
                record = self._keep(record, printed)
                more = True
        return record, more

    def _keep(self, record: Record, printed: Printed) -> Record:
        """Lines and what they say are kept together, or none of it; then the step begins again."""
        house, found = self._house, self._family.read(record, printed.lines)
        with house.records.together():
            keep_logs(house, record.scope, self._family.log_group, printed, found.streams)
            house.metrics.put(record.scope, found.samples)
            if not found.changes:
                return record
            return house.records.update(record, {**record.document, **found.changes})

    def _tell_of_image(self, record: Record, status: InstanceStatus) -> None:
        """While a job starts, its message says that the image is downloaded, and which version came of it."""
        course, pulled = self._family.course, "Pulling" in status.entered
        started = course.ends_gang(record.state) or record.state in course.progress.values()
        if not started and (pulled or status.image):
            said = course.pulling if pulled else course.messages[record.state]
            self._house.records.remark(record, f"{said}. {status.image}" if status.image else said)

    def _progress(self, record: Record, status: InstanceStatus) -> Record:
        """Pass each state that the gang went through since the last step."""
        course = self._family.course
        order = list(course.progress.values())
        began = status.entered.get("Downloading")
        document = record.document
        if began is not None:
            document = {f"{self._family.verb}StartTime": began, **document}
        for phase, state in course.progress.items():
            at = status.entered.get(phase)
            behind = record.state not in order or order.index(record.state) < order.index(state)
            if at is None or course.ends_gang(record.state) or not behind:
                continue
            message = course.messages[state]
            record = self._house.records.transition(record, state, document=document, message=message, at=at)
        return record if record.document == document else self._house.records.update(record, document)

    def _finish(self, record: Record, status: InstanceStatus) -> None:
        course = self._family.course
        changes: dict[str, Any] = {"FailureReason": status.reason} if status.outcome == "Failed" else {}
        state = course.ended[status.outcome]
        # A program that ends by itself in the seconds after it was asked to stop was stopped all the same.
        if record.state == course.stopping and status.outcome == "Completed":
            state = course.ended["Stopped"]
        if state == course.ended["Stopped"] and record.document.get(OVERDUE):
            state = course.overdue or state
        try:
            changes |= self._family.keep(self._house, record, status)
        except JobError as error:
            state, changes = course.ended["Failed"], {"FailureReason": str(error)}
        self._end(record, state, status.entered.get("Done", record.modified), changes, status)

    def _end(
        self, record: Record, state: State, at: float, changes: dict[str, Any], status: InstanceStatus | None
    ) -> None:
        document = {**record.document, f"{self._family.verb}EndTime": at, **changes}
        message = self._family.course.messages[state]
        with self._house.records.together():
            # Its timer has the job looked at once more, to draw its lineage: nobody waits for that.
            at_once = time.time() if self._ran(record) else None
            record = self._house.records.transition(record, state, document=document, message=message, wake_at=at_once)
            self._keep_track(record)
            self._pools.leave(self._house, record, status)
