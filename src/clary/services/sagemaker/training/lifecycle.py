"""How a training job comes to its end: start an instance, follow it, keep what it made.

    Starting → Downloading → Training → Uploading → Completed | Failed | Stopped | MaxRuntimeExceeded

Each step loads the record, asks the engine where the instance stands and passes the statuses in between through
the gate, with the times at which the instance entered them. A step may be repeated after a crash at any point:
starting is idempotent, and outputs stay with the instance until the job has ended, so they can be kept again.
"""

import math
import os
from pathlib import Path
from typing import Any

from clary.control.house import House
from clary.instance.spec import InstanceStatus
from clary.records.errors import NotFound
from clary.records.record import Record, State
from clary.services.sagemaker.errors import JobError
from clary.services.sagemaker.inputs import split_s3_uri
from clary.services.sagemaker.instance_logs import ship_logs
from clary.services.sagemaker.training.instance import HOST, instance_id, training_instance
from clary.services.sagemaker.training.kind import (
    COMPLETED,
    DOWNLOADING,
    FAILED,
    MAX_RUNTIME_EXCEEDED,
    MESSAGES,
    PROGRESS,
    STOPPED,
    STOPPING,
    TRAINING,
    TRAINING_JOB,
    UPLOADING,
)
from clary.services.sagemaker.training.metrics import record_metrics

LOG_GROUP = "/aws/sagemaker/TrainingJobs"
LOOK_AGAIN = 1.0
"""Seconds between looks at an instance that gives no hint."""

ENTERED = {"Downloading": DOWNLOADING, "Running": TRAINING, "Uploading": UPLOADING}
ENDED = {
    "Completed": COMPLETED,
    "Failed": FAILED,
    "Stopped": STOPPED,
    "MaxRuntimeExceeded": MAX_RUNTIME_EXCEEDED,
}


def output_prefix(record: Record) -> str:
    """`s3://bucket/path/<job>/output`: where the job's artefacts go."""
    return f"{record.document['OutputDataConfig']['S3OutputPath'].rstrip('/')}/{record.name}/output"


class TrainingReconciler:
    kind = TRAINING_JOB

    def __init__(self, house: House) -> None:
        self._house = house

    def step(self, record_id: str) -> float | None:
        records = self._house.records
        try:
            record = records.load(record_id)
        except NotFound:
            return None
        if record.state.status not in self.kind.live:
            self._release(record)
            return None
        try:
            status = self._instance(record)
        except JobError as error:
            self._end(record, FAILED, {"FailureReason": str(error)})
            return None
        record, more = self._ship(record)
        record = self._progress(record, status)
        if more:
            # All that was printed is in the log before the job has ended.
            return 0.0
        if status.phase != "Done":
            return LOOK_AGAIN
        self._finish(record, status)
        self._release(record)
        return None

    def _instance(self, record: Record) -> InstanceStatus:
        """Where the job's instance stands, once it was started and told of a wish to stop."""
        engine = self._house.engine
        try:
            status = engine.poll(instance_id(record))
        except KeyError:
            status = None
        if status is None:
            if record.state == STOPPING:
                return InstanceStatus(phase="Done", outcome="Stopped")
            engine.start(training_instance(self._house, record))
            return engine.poll(instance_id(record))
        if record.state == STOPPING and status.phase != "Done":
            engine.stop(instance_id(record))
        return status

    def _ship(self, record: Record) -> tuple[Record, bool]:
        """The record with the metrics that it printed, and whether it printed more than was read now."""
        stream = f"{record.name}/{HOST}-{int(record.created)}"
        try:
            shipped = ship_logs(self._house, record.scope, LOG_GROUP, stream, instance_id(record))
        except KeyError:
            return record, False
        return record_metrics(self._house, record, shipped.lines), shipped.more

    def _progress(self, record: Record, status: InstanceStatus) -> Record:
        """Pass each status that the instance went through since the last step."""
        for phase, state in ENTERED.items():
            at = status.entered.get(phase)
            if at is None or record.state not in PROGRESS or PROGRESS.index(record.state) >= PROGRESS.index(state):
                continue
            document = record.document
            if "TrainingStartTime" not in document:
                document = {**document, "TrainingStartTime": at}
            record = self._house.records.transition(record, state, document=document, message=MESSAGES[state], at=at)
        return record

    def _finish(self, record: Record, status: InstanceStatus) -> None:
        changes: dict[str, Any] = {"TrainingEndTime": status.entered.get("Done", record.modified)}
        if status.outcome == "Failed":
            changes["FailureReason"] = status.reason
        try:
            changes |= self._keep_outputs(record)
        except KeyError:
            bucket, _ = split_s3_uri(output_prefix(record))
            reason = f'ClientError: Failed to upload artifacts: the bucket "{bucket}" of S3OutputPath does not exist.'
            self._end(record, FAILED, {**changes, "FailureReason": reason})
            return
        state = ENDED[status.outcome]
        # A program that ends by itself in the seconds after StopTrainingJob was stopped all the same.
        if record.state == STOPPING and state == COMPLETED:
            state = STOPPED
        self._end(record, state, changes)

    def _keep_outputs(self, record: Record) -> dict[str, Any]:
        """Take the packed outputs into the object store; returns what Describe says of them."""
        artifacts: dict[str, Any] = {}
        for name in ("model.tar.gz", "output.tar.gz"):
            uri = f"{output_prefix(record)}/{name}"
            bucket, key = split_s3_uri(uri)
            try:
                path = self._house.engine.output(instance_id(record), name)
            except KeyError:
                break
            if path is not None:
                self._house.objects.adopt(bucket, key, _second_name(path))
                if name == "model.tar.gz":
                    artifacts["ModelArtifacts"] = {"S3ModelArtifacts": uri}
        return artifacts

    def _end(self, record: Record, state: State, changes: dict[str, Any]) -> None:
        document = {**record.document, **changes}
        if "TrainingStartTime" in document and "TrainingEndTime" in document:
            seconds = max(1, math.ceil(document["TrainingEndTime"] - document["TrainingStartTime"]))
            document |= {"TrainingTimeInSeconds": seconds, "BillableTimeInSeconds": seconds}
        self._house.records.transition(record, state, document=document, message=MESSAGES[state])

    def _release(self, record: Record) -> None:
        try:
            self._house.engine.release(instance_id(record))
        except KeyError:
            return


def _second_name(path: Path) -> Path:
    """Another link to a packed output, for the object store to take."""
    taken = path.with_name(f"{path.name}.taken")
    taken.unlink(missing_ok=True)
    os.link(path, taken)
    return taken
