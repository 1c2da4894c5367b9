"""Every change of the catalogue passes through one thread, which commits many of them at once.

    handlers ──submit(change)──▶ queue ──▶ one transaction: change, change, … ──commit (one fsync)──▶ results

A commit costs a flush of the disk however much it carries, so the changes that arrive while one flush runs
share the next. That changes run one after another also means that none need fear another between its reads
and its writes.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine

from clary.database import writing

T = TypeVar("T")
Change = Callable[[Connection], T]
_Job = tuple[Change[Any], "Future[Any]"]

MOST_AT_ONCE = 128


class GroupWriter:
    """Runs changes in the order of their submission; each is whole or not at all, and durable once it has
    answered."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="object-writer", daemon=True)
        self._thread.start()

    def submit(self, change: Change[T]) -> "Future[T]":
        future: Future[T] = Future()
        self._queue.put((change, future))
        return future

    def close(self) -> None:
        """Finish what was submitted."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (job := self._queue.get()) is not None:
            group = [job]
            try:
                self._commit(group, gather=True)
            except Exception:
                # One of them refused, or the database did: alone, each finds its own answer.
                for each in group:
                    self._commit_alone(each)

    def _commit(self, group: list[_Job], gather: bool = False) -> None:
        with writing(self._engine) as connection:
            if gather:
                group += self._waiting()  # now, when the wait for the database's other writers is over
            group[:] = [job for job in group if job[1].running() or job[1].set_running_or_notify_cancel()]
            results = [change(connection) for change, _ in group]
        for (_, future), result in zip(group, results, strict=True):
            future.set_result(result)

    def _commit_alone(self, job: _Job) -> None:
        try:
            self._commit([job])
        except Exception as error:
            job[1].set_exception(error)

    def _waiting(self) -> list[_Job]:
        jobs: list[_Job] = []
        while len(jobs) < MOST_AT_ONCE:
            try:
                job = self._queue.get_nowait()
            except Empty:
                break
            if job is None:
                self._queue.put(None)
                break
            jobs.append(job)
        return jobs
