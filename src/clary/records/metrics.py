"""Metrics: numbers over time under a namespace, a name and dimensions, each combination a series of its own.

    put(samples) ──▶ metric_series (found or made) ──▶ metric_samples ──▶ samples(…) ──▶ statistics, by the service

A sample stands for `count` measurements: one, several equal ones, or a set of which only the sum and the
bounds are known.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from hashlib import blake2b
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, Engine, Row, select
from sqlalchemy.exc import IntegrityError

from clary.database import migrate, reading, writing
from clary.records.record import Scope
from clary.records.tables import ROOM, metric_samples, metric_series


@dataclass(frozen=True, slots=True)
class Series:
    namespace: str
    name: str
    dimensions: Mapping[str, str]

    def key(self) -> str:
        """One for each combination, in whatever order the dimensions are named."""
        parts = [self.namespace, self.name, sorted(self.dimensions.items())]
        return blake2b(orjson.dumps(parts), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class Sample:
    """What was measured at one time (epoch seconds)."""

    at: float
    count: float
    sum: float
    minimum: float
    maximum: float
    unit: str = "None"
    step: int | None = None
    """Of the program's own counting, where it told one."""

    @classmethod
    def of(cls, at: float, value: float, unit: str = "None", count: float = 1.0, step: int | None = None) -> "Sample":
        return cls(at, count, value * count, value, value, unit, step)


class ListedSeries(NamedTuple):
    id: int
    """Grows with every new series."""
    series: Series


class MetricStore:
    """Safe to use from many threads."""

    def __init__(self, engine: Engine) -> None:
        migrate(engine, ROOM)
        self._engine = engine

    @property
    def engine(self) -> Engine:
        return self._engine

    def add(
        self,
        scope: Scope,
        namespace: str,
        name: str,
        dimensions: Mapping[str, str],
        at: float,
        value: float,
        unit: str = "None",
    ) -> None:
        """One value, as the platform itself measures it."""
        self.put(scope, [(Series(namespace, name, dimensions), Sample.of(at, value, unit))])

    def put(self, scope: Scope, samples: Sequence[tuple[Series, Sample]]) -> None:
        """Many at once, all of them or none."""
        if not samples:
            return
        with writing(self._engine) as connection:
            distinct = {series.key(): series for series, _ in samples}
            ids = {key: _ensure(connection, scope, series) for key, series in distinct.items()}
            rows = [{"series": ids[series.key()], **asdict(sample)} for series, sample in samples]
            connection.execute(metric_samples.insert(), rows)

    def samples(self, scope: Scope, series: Series, start: float, end: float, unit: str | None = None) -> list[Sample]:
        """In order of time, from `start` to before `end`; of one unit, or of any."""
        column = metric_samples.c
        statement = (
            select(metric_samples)
            .join(metric_series)
            .where(*_is(scope, series), column.at >= start, column.at < end)
            .order_by(column.at, column.id)
        )
        if unit is not None:
            statement = statement.where(column.unit == unit)
        with reading(self._engine) as connection:
            return [_to_sample(row) for row in connection.execute(statement)]

    def series(
        self,
        scope: Scope,
        *,
        namespace: str | None = None,
        name: str | None = None,
        dimensions: Mapping[str, str | None] | None = None,
        active_since: float | None = None,
        after: int = 0,
        limit: int,
    ) -> list[ListedSeries]:
        """Series that have all of `dimensions` (of any value where that is None), maybe with others, in the
        order in which they came to be, from the first after `after` on."""
        column = metric_series.c
        statement = select(metric_series).where(column.account == scope.account, column.region == scope.region)
        if namespace is not None:
            statement = statement.where(column.namespace == namespace)
        if name is not None:
            statement = statement.where(column.name == name)
        if active_since is not None:
            recent = (metric_samples.c.series == column.id) & (metric_samples.c.at >= active_since)
            statement = statement.where(select(metric_samples.c.id).where(recent).exists())
        found: list[ListedSeries] = []
        with reading(self._engine) as connection:
            for row in connection.execute(statement.where(column.id > after).order_by(column.id)):
                listed = _to_series(row)
                if _has(listed.series, dimensions or {}):
                    found.append(listed)
                if len(found) == limit:
                    break
        return found


def _has(series: Series, wanted: Mapping[str, str | None]) -> bool:
    return all(name in series.dimensions and value in (None, series.dimensions[name]) for name, value in wanted.items())


def _is(scope: Scope, series: Series) -> tuple[Any, ...]:
    column = metric_series.c
    return (column.account == scope.account, column.region == scope.region, column.key == series.key())


def _ensure(connection: Connection, scope: Scope, series: Series) -> int:
    """The series' id, made where it is not there. Another may make it at the same moment: then it is
    theirs."""
    find = select(metric_series.c.id).where(*_is(scope, series))
    found: int | None = connection.execute(find).scalar_one_or_none()
    if found is None:
        with suppress(IntegrityError), connection.begin_nested():
            connection.execute(metric_series.insert().values(_row(scope, series)))
        found = connection.execute(find).scalar_one()
    return found


def _row(scope: Scope, series: Series) -> dict[str, Any]:
    return {
        "account": scope.account,
        "region": scope.region,
        "key": series.key(),
        "namespace": series.namespace,
        "name": series.name,
        "dimensions": orjson.dumps(dict(series.dimensions)).decode(),
    }


def _to_series(row: Row[Any]) -> ListedSeries:
    return ListedSeries(row.id, Series(row.namespace, row.name, orjson.loads(row.dimensions)))


def _to_sample(row: Row[Any]) -> Sample:
    # By name from the mapping: `count` and `index` are methods of a row.
    values = row._mapping
    return Sample(row.at, values["count"], row.sum, row.minimum, row.maximum, row.unit, row.step)
