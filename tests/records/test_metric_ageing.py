"""What is left of samples as they age."""

import pytest
from sqlalchemy import Engine

from clary.records.metric_ageing import DAY, HOUR, LONGEST, Ageing
from clary.records.metrics import MetricStore, Sample, Series
from tests.records.kinds import HOME

START = 1_000_000 * HOUR
LATENCY = Series("AWS/SageMaker", "ModelLatency", {"EndpointName": "e"})
LOSS = Series("/aws/sagemaker/TrainingJobs", "loss", {})


@pytest.fixture
def metrics(engine: Engine) -> MetricStore:
    store = MetricStore(engine)
    for series in (LATENCY, LOSS):
        samples = [Sample.of(START + 10.0 * window, value, count=2.0) for window in range(12) for value in (5.0, 7.0)]
        store.put(HOME, [(series, sample) for sample in samples])
    return store


def seen(metrics: MetricStore, series: Series) -> list[Sample]:
    return metrics.samples(HOME, series, 0.0, START * 2)


def test_those_of_one_period_and_value_become_one(engine: Engine, metrics: MetricStore) -> None:
    ageing = Ageing(engine)
    ageing.sweep(START + 2 * HOUR)
    assert len(seen(metrics, LATENCY)) == 24
    ageing.sweep(START + 4 * HOUR)
    assert sorted((s.at - START, s.minimum, s.count, s.sum) for s in seen(metrics, LATENCY)) == [
        (0.0, 5.0, 12.0, 60.0),
        (0.0, 7.0, 12.0, 84.0),
        (60.0, 5.0, 12.0, 60.0),
        (60.0, 7.0, 12.0, 84.0),
    ]
    Ageing(engine).sweep(START + 16 * DAY)  # as after a restart
    assert [(s.at - START, s.count) for s in seen(metrics, LATENCY)] == [(0.0, 24.0), (0.0, 24.0)]
    assert len(seen(metrics, LOSS)) == 24


def test_those_that_are_too_old_go(engine: Engine, metrics: MetricStore) -> None:
    Ageing(engine).sweep(START + LONGEST + DAY)
    assert not seen(metrics, LATENCY)
    assert len(seen(metrics, LOSS)) == 24
