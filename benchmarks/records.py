"""What the records cost without the API before them, among 100 and among 100,000 training jobs.

    python -m benchmarks.records [jobs]

One thread on SQLite, every change flushed to the disk. The last column is how much longer the larger table takes.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine

from benchmarks.control_plane import SCOPE, job
from clary.database import open_database
from clary.records.logs import LogStore
from clary.records.query import Query
from clary.records.record import Record
from clary.records.rows import to_row
from clary.records.store import Records
from clary.records.tables import records
from clary.services.sagemaker.training.kind import DOWNLOADING, STARTING, TRAINING_JOB

FEW = 100
SECONDS = 1.0
LINES = 50_000


@dataclass
class Store:
    """A database with so many finished jobs."""

    engine: Engine
    jobs: list[Record]
    records: Records = field(init=False)
    logs: LogStore = field(init=False)
    numbers: Iterator[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        self.records = Records(self.engine)
        self.logs = LogStore(self.engine)
        with self.engine.begin() as connection:
            connection.execute(records.insert(), [to_row(record) for record in self.jobs])

    def create(self) -> Record:
        name = f"new-{next(self.numbers)}"
        return self.records.create(TRAINING_JOB, SCOPE, name, name, self.jobs[0].document, STARTING)

    def create_and_pass(self) -> None:
        self.records.transition(self.create(), DOWNLOADING)

    def get(self) -> None:
        self.records.get(TRAINING_JOB, SCOPE, self.jobs[len(self.jobs) // 2].name)

    def page(self, query: Query) -> None:
        self.records.list(TRAINING_JOB, SCOPE, query)

    def middle(self) -> Query:
        """The page after the middle of all jobs."""
        half = Query(sort_by="Name", max_results=len(self.jobs) // 2)
        return Query(sort_by="Name", next_token=self.records.list(TRAINING_JOB, SCOPE, half).next_token)

    def log(self) -> None:
        lines = [(time.time(), f"epoch {number} loss 0.123456 accuracy 0.987654") for number in range(LINES)]
        self.logs.append(SCOPE, "group", "stream", lines, source_offset=next(self.numbers))


@contextmanager
def store(jobs: int) -> Iterator[Store]:
    now = time.time()
    with tempfile.TemporaryDirectory() as directory:
        yield Store(
            open_database(f"sqlite:///{Path(directory) / 'clary.db'}"), [job(number, now) for number in range(jobs)]
        )


def tasks(store: Store) -> dict[str, Callable[[], object]]:
    middle = store.middle()
    return {
        "get": store.get,
        "list, first page": lambda: store.page(Query(descending=True)),
        "list, page in the middle": lambda: store.page(middle),
        "list, by status": lambda: store.page(Query(status="Completed", sort_by="Status")),
        "list, name contained in none": lambda: store.page(Query(name_contains="nowhere")),
        "create": store.create,
        "create and one transition": store.create_and_pass,
        f"log {LINES:,} lines": store.log,
    }


def milliseconds(task: Callable[[], object]) -> float:
    """Of one run, on average over a second or so."""
    task()
    runs, start = 0, time.perf_counter()
    while (passed := time.perf_counter() - start) < SECONDS:
        task()
        runs += 1
    return passed / runs * 1000


def main() -> None:
    many = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    table = Table(title="Records, milliseconds each")
    table.add_column("task")
    for title in (f"{FEW:,} jobs", f"{many:,} jobs", "ratio"):
        table.add_column(title, justify="right")
    with store(FEW) as small, store(many) as large:
        for (name, one), other in zip(tasks(small).items(), tasks(large).values(), strict=True):
            few_jobs, many_jobs = milliseconds(one), milliseconds(other)
            table.add_row(name, f"{few_jobs:.2f}", f"{many_jobs:.2f}", f"{many_jobs / few_jobs:.1f}")
    Console().print(table)


if __name__ == "__main__":
    main()
