"""How long Search takes among 100,000 training jobs, beside a look at every one of them and beside moto.

    python -m benchmarks.search [jobs] [seconds] [database URL]

Signed calls, one at a time, for pages of 10. The jobs are laid into the store beforehand, and the index is made by
the platform as it makes it of records that it finds. "A look at every job" reads and tests each document in this
process, with no call around it: what Search would cost without an index. moto's Search knows equality at the top and
one page.
"""

import dataclasses
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine, insert, select
from tests.platform import Platform

from benchmarks.control_plane import job, moto, passages
from benchmarks.load import Load, measure
from benchmarks.peer import NoPeer
from benchmarks.signed import signed
from clary.database import open_database
from clary.records.record import Record
from clary.records.rows import to_record, to_row
from clary.records.search.attributes import attributes
from clary.records.search.expression import View
from clary.records.search.searchable import SEARCHABLE
from clary.records.store import Records
from clary.records.tables import events, records, search_queue, tags
from clary.services.sagemaker.search.expressions import expression_of
from clary.services.sagemaker.training.kind import COMPLETED, FAILED, TRAINING_JOB
from clary.services.table import all_handlers
from clary.settings import Settings

DEEP = 200
"""Pages before the one that is called deep."""
ONE_JOB = "one job by its name"
Request = dict[str, Any]


def varied(number: int, now: float, draw: random.Random) -> Record:
    """A finished job that differs from others where real ones do."""
    plain = job(number, now)
    channels = [(name, f"s3://data/set-{draw.randrange(1000)}/{name}") for name in ("train", "validation")]
    document = {
        **plain.document,
        "HyperParameters": {"max_depth": str(draw.randint(1, 12)), "eta": f"{draw.random():.4f}", "num_round": "2"},
        "InputDataConfig": [
            {"ChannelName": name, "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}}}
            for name, uri in channels
        ],
        "ResourceConfig": {
            "InstanceType": draw.choice(["ml.m5.large", "ml.m5.xlarge", "ml.g5.xlarge"]),
            "InstanceCount": 1,
            "VolumeSizeInGB": 30,
        },
        "FinalMetricDataList": [{"MetricName": "validation:auc", "Value": draw.random(), "Timestamp": now}],
    }
    state = COMPLETED if draw.random() < 0.9 else FAILED
    return dataclasses.replace(plain, document=document, state=state)


def seed(database: Engine, count: int) -> None:
    Records(database)  # Makes the tables.
    draw, now = random.Random(7), time.time()
    jobs = [varied(number, now, draw) for number in range(count)]
    teams = [{"record": job.id, "key": "team", "value": f"team-{draw.randrange(20)}"} for job in jobs]
    with database.begin() as connection:
        connection.execute(insert(records), [to_row(job) for job in jobs])
        connection.execute(insert(events), [event for job in jobs for event in passages(job)])
        connection.execute(insert(tags), teams)


@contextmanager
def clary(database_url: str, state: Path, jobs: int) -> Iterator[tuple[int, Any, float]]:
    """The port and a client of a platform with so many jobs, and the seconds that indexing them took."""
    database = open_database(database_url)
    seed(database, jobs)
    platform = Platform(state, "--database", database_url).up()
    try:
        client = platform.client("sagemaker")
        yield int(platform.url.rpartition(":")[2]), client, indexed(database)
    finally:
        platform.down()


def indexed(database: Engine) -> float:
    began = time.perf_counter()
    time.sleep(2.0)  # by now they are in the queue
    while True:
        with database.connect() as connection:
            if connection.execute(select(search_queue.c.id).limit(1)).first() is None:
                return time.perf_counter() - began
        time.sleep(0.2)


def filters(*some: tuple[str, str, str]) -> Request:
    return {"Filters": [dict(zip(("Name", "Operator", "Value"), one, strict=True)) for one in some]}


def requests(jobs: int) -> dict[str, Request]:
    """Row of the table → what is searched for."""
    uri = "InputDataConfig.DataSource.S3DataSource.S3Uri"
    nested = filters(("InputDataConfig.ChannelName", "Equals", "train"), (uri, "Contains", "/set-500/"))
    return {
        ONE_JOB: {"SearchExpression": filters(("TrainingJobName", "Equals", f"job-{jobs // 2:06d}"))},
        "1 of 1,000 by input": {"SearchExpression": filters((uri, "Equals", "s3://data/set-500/train"))},
        "1 of 1,000 by metric, best first": {
            "SearchExpression": filters(("Metrics.validation:auc", "GreaterThan", "0.999")),
            "SortBy": "Metrics.validation:auc",
        },
        "1 of 200: tag and status": {
            "SearchExpression": filters(("Tags.team", "Equals", "team-3"), ("TrainingJobStatus", "Equals", "Failed"))
        },
        "1 of 360: three filters": {
            "SearchExpression": filters(
                ("TrainingJobStatus", "Equals", "Failed"),
                ("ResourceConfig.InstanceType", "Equals", "ml.g5.xlarge"),
                ("HyperParameters.max_depth", "Equals", "3"),
            )
        },
        "9 of 10 by status": {"SearchExpression": filters(("TrainingJobStatus", "Equals", "Completed"))},
        "9 of 10 by status, sorted by eta": {
            "SearchExpression": filters(("TrainingJobStatus", "Equals", "Completed")),
            "SortBy": "HyperParameters.eta",
        },
        "nested: a part of a text": {
            "SearchExpression": {"NestedFilters": [{"NestedPropertyName": "InputDataConfig", **nested}]}
        },
        "two halves that never meet": {
            "SearchExpression": filters(
                ("HyperParameters.max_depth", "LessThan", "7"), ("HyperParameters.max_depth", "GreaterThan", "6")
            )
        },
    }


def measured(port: int, client: Any, jobs: int, seconds: float) -> dict[str, Load]:
    def bear(**request: Any) -> Load:
        load = measure(port, signed(client, "search", Resource="TrainingJob", **request), 1, seconds)
        if load.refused:
            raise SystemExit(f"{load.refused} calls were refused")
        return load

    loads = {row: bear(**request) for row, request in requests(jobs).items()}
    by_status = requests(jobs)["9 of 10 by status"]
    token = {}
    for _ in range(DEEP):
        page = client.search(Resource="TrainingJob", MaxResults=100, **by_status, **token)
        token = {"NextToken": page["NextToken"]} if "NextToken" in page else token
    return {**loads, f"  the page after {DEEP * 100:,} jobs": bear(**by_status, **token)}


def look_at_all(database: Engine, request: Request) -> float:
    """Seconds to read and test every job."""
    declared = SEARCHABLE[TRAINING_JOB.name]
    expression = expression_of(declared, request)
    began = time.perf_counter()
    with database.connect() as connection:
        for row in connection.execute(select(records).where(records.c.kind == TRAINING_JOB.name)):
            expression.holds(View(attributes(declared, to_record(row), {})))
    return time.perf_counter() - began


def beside_moto(jobs: int, seconds: float) -> str:
    request = {"SearchExpression": filters(("TrainingJobName", "Equals", f"job-{jobs // 2:06d}"))}
    try:
        with moto(jobs) as (port, client):
            load = measure(port, signed(client, "search", Resource="TrainingJob", **request), 1, seconds)
    except NoPeer as why:
        return str(why)
    return f"p50 {load.p50 * 1e3:,.1f} ms, p99 {load.p99 * 1e3:,.1f} ms"


def main(jobs: int, seconds: float, database_url: str) -> None:
    all_handlers()
    with tempfile.TemporaryDirectory() as directory:
        state = Path(directory)
        url = database_url or Settings(state=state).database_url
        with clary(url, state, jobs) as (port, client, took):
            loads = measured(port, client, jobs, seconds)
            every = {row: look_at_all(open_database(url), request) for row, request in requests(jobs).items()}
    title = f"Search among {jobs:,} training jobs, indexed in {took:.0f} s; milliseconds"
    table = Table("", "p50", "p99", "a look at every job", "ratio to p50", title=title)
    for row, load in loads.items():
        cells = [f"{load.p50 * 1e3:,.1f}", f"{load.p99 * 1e3:,.1f}"]
        if row in every:
            cells += [f"{every[row] * 1e3:,.0f}", f"{every[row] / load.p50:,.0f}"]
        table.add_row(row, *cells)
    Console().print(table)
    Console().print(f"moto, {ONE_JOB}: {beside_moto(jobs, seconds)}")


if __name__ == "__main__":
    main(
        int(sys.argv[1]) if len(sys.argv) > 1 else 100_000,
        float(sys.argv[2]) if len(sys.argv) > 2 else 3.0,
        sys.argv[3] if len(sys.argv) > 3 else "",
    )
