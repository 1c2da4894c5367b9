"""Metrics are kept with the lines that say them, or neither is."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from clary.database import open_database
from clary.engines.answers import LogLine
from clary.instance.spec import InstanceStatus
from clary.records.errors import Stale
from clary.records.log_reader import HEAD, Window
from clary.records.logs import LogStore
from clary.records.metrics import MetricStore, Sample, Series
from clary.records.record import Record, Scope
from clary.records.store import Records
from clary.services.sagemaker.jobs.lifecycle import JobReconciler
from clary.services.sagemaker.training.family import Training
from clary.services.sagemaker.training.kind import TRAINING, TRAINING_JOB
from clary.services.sagemaker.training.metrics import NAMESPACE

SCOPE = Scope("123456789012", "us-east-1")
DOCUMENT: dict[str, Any] = {
    "AlgorithmSpecification": {"MetricDefinitions": [{"Name": "loss", "Regex": "loss=([0-9.]+)"}]},
    "ResourceConfig": {"InstanceCount": 1},
}
LINES = [LogLine(10.0, "loss=0.5"), LogLine(11.0, "nothing"), LogLine(12.0, "loss=0.25")]


class Running:
    """An engine whose one instance runs and has printed `LINES`."""

    def poll(self, _instance_id: str) -> InstanceStatus:
        return InstanceStatus("Running")

    def logs(self, _instance_id: str, offset: int) -> tuple[list[LogLine], int]:
        return LINES[offset:], len(LINES)


@pytest.fixture
def house(tmp_path: Path) -> Any:
    database = open_database(f"sqlite:///{tmp_path / 'clary.db'}")
    stores = {"records": Records(database), "logs": LogStore(database), "metrics": MetricStore(database)}
    return SimpleNamespace(engine=Running(), **stores)


@pytest.fixture
def job(house: Any) -> Record:
    record: Record = house.records.create(TRAINING_JOB, SCOPE, "job", "arn:job", DOCUMENT, TRAINING)
    return record


def kept(house: Any, job: Record) -> tuple[int, list[Sample], list[float]]:
    """Lines, values of the metric, last values of the job."""
    stream = Training().log_stream(job, 1)
    if house.logs.source_offset(SCOPE, Training.log_group, stream) == 0:
        lines = 0
    else:
        lines = len(house.logs.read(SCOPE, Training.log_group, stream, Window(), HEAD, 100))
    samples = house.metrics.samples(SCOPE, Series(NAMESPACE, "loss", {"TrainingJobName": "job"}), 0, 100)
    last = house.records.load(job.id).document.get("FinalMetricDataList", [])
    return lines, samples, [metric["Value"] for metric in last]


ALL = (3, [Sample.of(10.0, 0.5), Sample.of(12.0, 0.25)], [0.25])


@pytest.mark.parametrize("broken", [("metrics", "put"), ("records", "update")])
def test_a_failure_between_keeps_nothing_and_the_next_step_all(
    house: Any, job: Record, broken: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise OSError("the disk is full")

    reconciler = JobReconciler(house, Training())
    with monkeypatch.context() as patched:
        patched.setattr(getattr(house, broken[0]), broken[1], fail)
        with pytest.raises(OSError, match="full"):
            reconciler.step(job.id)
    assert kept(house, job) == (0, [], [])
    reconciler.step(job.id)
    assert kept(house, job) == ALL
    reconciler.step(job.id)
    assert kept(house, job) == ALL


def test_a_job_that_was_changed_meanwhile_is_looked_at_anew(
    house: Any, job: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Training.read

    def change_and_read(self: Training, record: Record, lines: Any) -> Any:
        monkeypatch.setattr(Training, "read", read)
        house.records.update(record, {**record.document, "Stopped": "soon"})
        return read(self, record, lines)

    monkeypatch.setattr(Training, "read", change_and_read)
    reconciler = JobReconciler(house, Training())
    with pytest.raises(Stale):
        reconciler.step(job.id)
    assert kept(house, job) == (0, [], [])
    reconciler.step(job.id)
    assert kept(house, job) == ALL
    assert house.records.load(job.id).document["Stopped"] == "soon"
