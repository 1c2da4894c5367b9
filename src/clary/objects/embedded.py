"""Clary's own object store: a catalogue in SQL and immutable files beside it.

    put     ingest ─▶ body on disk ─▶ change (group commit) ─▶ acknowledged; a small body goes with the change
    get     view: key ─▶ version ─▶ path of its body, or the bytes of a small one (`small`)
    delete  change: row goes, body becomes dead ─▶ after `GRACE` the housekeeper removes the file (`dead`)

`view` and `change` run functions of an open transaction (`buckets`, `versions`, `uploads`, `listing`). One
process at a time may have a store open.
"""

import asyncio
import hashlib
import logging
import os
import threading
import time
from collections.abc import AsyncIterable, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import SQLAlchemyError

from clary.database import reading
from clary.objects import buckets, versions
from clary.objects.archive import is_archived, restored_until
from clary.objects.base import ObjectInfo
from clary.objects.bodies import Bodies
from clary.objects.dead import strike_off
from clary.objects.documents import Documents
from clary.objects.errors import ObjectArchived, StoreError
from clary.objects.ingest import Ingested, Settle, Sink, ingest
from clary.objects.listing import OBJECTS, Query, read_page
from clary.objects.locks import LOCKING, default_retention
from clary.objects.sequel import with_sequel
from clary.objects.small import content_of, is_small, keep
from clary.objects.tables import dead_bodies, parts
from clary.objects.tables import versions as version_table
from clary.objects.versions import Content, Version
from clary.objects.writer import Change, GroupWriter

T = TypeVar("T")
log = logging.getLogger(__name__)

GRACE = 300.0
"""Seconds that a body outlives its last version: a reader or a job may have been told its path just before."""
HOUSEKEEPING = 60.0
"""Seconds between removals of dead bodies."""
WORKERS = 16
"""Threads that write bodies; they wait for the disk rather than compute."""
BURIED_AT_ONCE = 1000
"""Bodies in one transaction, which every other change waits for."""
PAGE = 1000
DEFAULT_CONTENT_TYPE = "binary/octet-stream"
"""Of an object whose writer named none."""
OWN_BUCKET = ".clary"
"""Of the platform itself; no user can have a bucket of such a name."""


class EmbeddedStore:
    """An `ObjectStore`; the S3 service works with its transactions directly."""

    def __init__(self, engine: Engine, root: Path) -> None:
        self.bodies = Bodies(root)
        self._engine = engine
        self._local = engine.dialect.name == "sqlite"
        self._writer = GroupWriter(engine)
        self.documents = Documents(self.view)
        self.on_adopted: Callable[[str, Version], None] = lambda _bucket, _version: None
        """Called with each version that `adopt` makes, in the transaction that makes it."""
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="object-body")
        self._closing = threading.Event()
        self._housekeeper = threading.Thread(target=self._keep_house, name="object-housekeeper", daemon=True)
        self._housekeeper.start()

    def close(self) -> None:
        self._closing.set()
        self._housekeeper.join()
        self._pool.shutdown()
        self._writer.close()

    def view(self, read: Change[T]) -> T:
        with reading(self._engine) as connection:
            return read(connection)

    def change(self, change: Change[T], body: str | None = None) -> T:
        """Durable when it returns. `body` is one that only this change names: it goes if the change is refused."""
        return self._submit(with_sequel(change), body).result()

    def change_bucket(self, name: str, change: Change[T]) -> T:
        """A `change` of what is kept with a bucket."""
        try:
            return self.change(change)
        finally:
            self.documents.refresh(name)

    def _submit(self, change: Change[T], body: str | None) -> "Future[T]":
        future = self._writer.submit(change)

        def remove_if_refused(done: "Future[T]") -> None:
            # After any other error the row may be there all the same; the next start's sweep will know.
            if body and (done.cancelled() or isinstance(done.exception(), StoreError)):
                self.bodies.remove(body)

        future.add_done_callback(remove_if_refused)
        return future

    async def look(self, read: Change[T]) -> T:
        """`view` of a few rows, for the event loop: at once where the catalogue is a local file, which waits for
        nobody and costs less than a visit to a worker thread (it doubles the rate of small GETs)."""
        if self._local:
            return self.view(read)
        return await asyncio.wrap_future(self._pool.submit(self.view, read))

    async def take_in(
        self,
        chunks: AsyncIterable[bytes],
        algorithms: set[str],
        settle: Settle,
        change: Callable[[Connection, Ingested], T],
        small: bool = False,
    ) -> T:
        """Store a body and commit the change that names it. With `small`, a small body becomes a row."""
        change = with_sequel(change)

        def commit(received: Ingested) -> "Future[T]":
            if (content := received.content) is None:
                return self._submit(lambda connection: change(connection, received), received.body)
            return self._submit(lambda c: change(c, replace(received, body=keep(c, content))), None)

        return await ingest(Sink(self.bodies, algorithms, small), self._pool, chunks, settle, commit)

    def file_of(self, body: str) -> Path:
        """The file of a body, which is made now for a small one."""
        path = self.bodies.path(body)
        if is_small(body) and not path.exists():
            content = self.view(partial(content_of, body=body))
            assert content is not None
            self.bodies.make(body, content)
        return path

    def list(self, bucket: str, prefix: str) -> Iterator[ObjectInfo]:
        with _missing_as_key_error(bucket, prefix):
            self.view(lambda connection: buckets.find(connection, bucket))
        query: Query[Version] = Query(bucket, PAGE, prefix=prefix.encode())
        while True:
            page = self.view(partial(read_page, source=OBJECTS, query=query))
            for version in page.rows:
                yield _info(version)
            if not page.truncated:
                return
            query = replace(query, after=page.last)

    def find(self, bucket: str, key: str) -> ObjectInfo:
        with _missing_as_key_error(bucket, key):
            return _info(self.view(lambda connection: versions.find(connection, bucket, key.encode())))

    def locate(self, bucket: str, key: str) -> str:
        return str(self.file_of(self._body(bucket, key)))

    def destination(self, _bucket: str, _key: str) -> None:
        return None

    def form(self, _bucket: str, _prefix: str) -> None:
        return None

    def read(self, bucket: str, key: str) -> bytes:
        body = self._body(bucket, key)
        content = self.view(partial(content_of, body=body))
        return self.bodies.path(body).read_bytes() if content is None else content

    def adopt(self, bucket: str, key: str, path: Path, etag: str = "", content_type: str = "") -> ObjectInfo:
        with _missing_as_key_error(bucket, key):
            self.view(lambda connection: buckets.find(connection, bucket))  # before the file is taken
        with path.open("rb") as file:
            etag = etag or hashlib.file_digest(file, "md5").hexdigest()
            size = os.fstat(file.fileno()).st_size
        headers = {"ContentType": content_type or DEFAULT_CONTENT_TYPE}
        headers |= default_retention(self.documents.of(bucket, LOCKING), time.time())
        content = Content(self.bodies.adopt(path), size, etag, headers)

        def put(connection: Connection) -> Version:
            version = versions.put(connection, buckets.find(connection, bucket), key.encode(), content)
            self.on_adopted(bucket, version)
            return version

        with _missing_as_key_error(bucket, key):
            return _info(self.change(put, content.body))

    def remove(self, bucket: str, key: str) -> None:
        def remove(connection: Connection) -> None:
            versions.remove(connection, buckets.find(connection, bucket), key.encode(), None)

        with _missing_as_key_error(bucket, key):
            self.change(remove)

    def own_bucket(self) -> str:
        def make(connection: Connection) -> None:
            try:
                buckets.find(connection, OWN_BUCKET)
            except StoreError:
                buckets.create(connection, OWN_BUCKET, "", "")

        self.change(make)
        return OWN_BUCKET

    def _body(self, bucket: str, key: str) -> str:
        with _missing_as_key_error(bucket, key):
            version = self.view(lambda connection: versions.find(connection, bucket, key.encode()))
        assert version.body is not None
        if is_archived(version) and restored_until(version) is None:
            raise ObjectArchived(f"s3://{bucket}/{key}")
        return version.body

    def _keep_house(self) -> None:
        tasks = [self.sweep]
        while not self._closing.is_set():
            for task in tasks:
                try:
                    task()
                except (OSError, SQLAlchemyError):
                    log.exception("housekeeping of the object store failed")
            tasks = [self.bury]
            self._closing.wait(HOUSEKEEPING)

    def sweep(self) -> None:
        removed = self.bodies.sweep(self._named)
        if removed:
            log.info("removed %d bodies that no object names, left by interrupted writes", removed)

    def _named(self, prefix: str) -> set[str]:
        """Bodies that some row names, by the first two characters."""

        def read(connection: Connection) -> set[str]:
            names: set[str] = set()
            for column in (version_table.c.body, parts.c.body, dead_bodies.c.body):
                # `prefix` and what follows it, hexadecimal digits or a hyphen before them, lie below `prefix` and "g".
                query = select(column).where(column >= prefix, column < prefix + "g")
                names.update(connection.execute(query).scalars())
            return names

        return self.view(read)

    def bury(self) -> None:
        """Remove the files of bodies whose grace is over."""
        before = time.time() - GRACE
        while dead := self.change(partial(strike_off, before=before, most=BURIED_AT_ONCE)):
            for body in dead:
                self.bodies.remove(body)


@contextmanager
def _missing_as_key_error(bucket: str, key: str) -> Iterator[None]:
    try:
        yield
    except StoreError as error:
        raise KeyError(f"s3://{bucket}/{key}") from error


def _info(version: Version) -> ObjectInfo:
    kind = version.headers.get("ContentType", "")
    return ObjectInfo(version.key.decode(), version.size, version.etag, version.modified, kind)
