"""Metrics: series by their dimensions, samples by time."""

import pytest
from sqlalchemy import Engine

from clary.records.metrics import MetricStore, Sample, Series
from tests.records.kinds import ABROAD, HOME


@pytest.fixture
def metrics(engine: Engine) -> MetricStore:
    return MetricStore(engine)


def test_samples_come_back_in_order_of_time(metrics: MetricStore) -> None:
    metrics.add(HOME, "ns", "loss", {"job": "a"}, 20.0, 0.5)
    metrics.add(HOME, "ns", "loss", {"job": "a"}, 10.0, 1.5, "Count")
    metrics.add(HOME, "ns", "loss", {"job": "b"}, 10.0, 9.0)
    metrics.add(ABROAD, "ns", "loss", {"job": "a"}, 10.0, 8.0)
    series = Series("ns", "loss", {"job": "a"})
    assert metrics.samples(HOME, series, 0, 100) == [Sample.of(10.0, 1.5, "Count"), Sample.of(20.0, 0.5)]
    assert metrics.samples(HOME, series, 10, 20, "Count") == [Sample.of(10.0, 1.5, "Count")]
    assert metrics.samples(HOME, Series("ns", "loss", {}), 0, 100) == []


def test_the_order_of_dimensions_makes_no_other_series(metrics: MetricStore) -> None:
    metrics.add(HOME, "ns", "loss", {"a": "1", "b": "2"}, 1.0, 1.0)
    metrics.add(HOME, "ns", "loss", {"b": "2", "a": "1"}, 2.0, 2.0)
    (listed,) = metrics.series(HOME, limit=10)
    assert len(metrics.samples(HOME, listed.series, 0, 10)) == 2


def test_series_are_found_by_what_they_are(metrics: MetricStore) -> None:
    metrics.put(
        HOME,
        [
            (Series("one", "loss", {"job": "a", "host": "x"}), Sample.of(100.0, 1.0)),
            (Series("one", "loss", {"job": "b"}), Sample.of(200.0, 1.0)),
            (Series("two", "loss", {}), Sample.of(200.0, 1.0)),
            (Series("one", "rate", {}), Sample.of(200.0, 1.0)),
        ],
    )

    def names(**filters: object) -> list[tuple[str, str, int]]:
        found = metrics.series(HOME, limit=10, **filters)  # type: ignore[arg-type]
        return [(listed.series.namespace, listed.series.name, len(listed.series.dimensions)) for listed in found]

    assert names(namespace="one") == [("one", "loss", 2), ("one", "loss", 1), ("one", "rate", 0)]
    assert names(name="loss", dimensions={"job": None}) == [("one", "loss", 2), ("one", "loss", 1)]
    assert names(dimensions={"job": "b"}) == [("one", "loss", 1)]
    assert names(active_since=150.0, namespace="one") == [("one", "loss", 1), ("one", "rate", 0)]
    first, second = metrics.series(HOME, limit=2)
    assert [listed.series.name for listed in metrics.series(HOME, after=second.id, limit=9)] == ["loss", "rate"]
    assert first.id < second.id
