"""Samples of metrics grow coarser with age, as AWS keeps them: finer than a minute for three hours, by minutes for 15
days, by five minutes for 63, by hours for 455; then they go.

    each hour, for each series: an hour's samples ─▶ those of one period, unit and value ─▶ one

Only samples that report the same are merged, so that all statistics of the periods that are left, percentiles too, are
what they were. Those of jobs stay as they are: what a program told is read one by one, in its order.
"""

import logging
import threading
import time
from collections import defaultdict
from typing import Any

from sqlalchemy import Engine, Row, select

from clary.database import reading, writing
from clary.records.tables import metric_samples, metric_series

log = logging.getLogger(__name__)

HOUR, DAY = 3600.0, 24 * 3600.0
EVERY = HOUR
STAGES = ((3 * HOUR, 60.0), (15 * DAY, 300.0), (63 * DAY, HOUR))
"""From which age on samples are merged by periods of how many seconds."""
LONGEST = 455 * DAY
JOBS, ENDPOINTS = "/aws/sagemaker/", "/aws/sagemaker/Endpoints"
"""Namespaces of jobs begin with the first; the second is not one of them."""
AT_ONCE = 500
"""Ids that one statement names: databases know a limit of its parameters."""
SLICE = HOUR
"""What is read, and written in one transaction, at once: a multiple of all periods."""


class Ageing:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reached: dict[tuple[int, float], float] = {}
        """By series and period: until when everything is merged."""

    def keep(self) -> None:
        """Sweep each hour, for ever."""
        while True:
            try:
                self.sweep(time.time())
            except Exception:
                log.exception("old metrics could not be merged; it will be tried again")
            time.sleep(EVERY)

    def sweep(self, now: float) -> None:
        namespace = metric_series.c.namespace
        aged = (namespace == ENDPOINTS) | ~namespace.startswith(JOBS, autoescape=True)
        with reading(self._engine) as connection:
            series: list[int] = list(connection.execute(select(metric_series.c.id).where(aged)).scalars())
        for each in series:
            old = (metric_samples.c.series == each) & (metric_samples.c.at < now - LONGEST)
            with writing(self._engine) as connection:
                connection.execute(metric_samples.delete().where(old))
            for age, period in STAGES:
                self._merge_until(each, period, (now - age) // SLICE * SLICE)

    def _merge_until(self, series: int, period: float, end: float) -> None:
        column = metric_samples.c
        begin = self._reached.get((series, period), 0.0)
        while begin < end:
            first = select(column.at).where(column.series == series, column.at >= begin, column.at < end)
            with reading(self._engine) as connection:
                found = connection.execute(first.order_by(column.at).limit(1)).scalar()
            if found is None:
                break
            begin = found // SLICE * SLICE
            self._merge(series, period, begin)
            begin += SLICE
        self._reached[series, period] = end

    def _merge(self, series: int, period: float, begin: float) -> None:
        column = metric_samples.c
        own = (column.series == series) & (column.at >= begin) & (column.at < begin + SLICE) & column.step.is_(None)
        groups: defaultdict[tuple[Any, ...], list[Row[Any]]] = defaultdict(list)
        with reading(self._engine) as connection:
            for row in connection.execute(select(metric_samples).where(own)):
                groups[row.at // period * period, row.unit, row.minimum, row.maximum].append(row)
        alike = [(key, rows) for key, rows in groups.items() if len(rows) > 1]
        if not alike:
            return
        with writing(self._engine) as connection:
            for (at, unit, minimum, maximum), rows in alike:
                for first in range(0, len(rows), AT_ONCE):
                    ids = [row.id for row in rows[first : first + AT_ONCE]]
                    connection.execute(metric_samples.delete().where(column.id.in_(ids)))
                merged = {"count": sum(row._mapping["count"] for row in rows), "sum": sum(row.sum for row in rows)}
                bounds = {"minimum": minimum, "maximum": maximum}
                connection.execute(metric_samples.insert().values(series=series, at=at, unit=unit, **bounds, **merged))


def start_ageing(engine: Engine) -> None:
    threading.Thread(target=Ageing(engine).keep, name="metrics-ageing", daemon=True).start()
