"""The registry of a platform: its tables, its uploads, and its blobs in the object store."""

import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

from sqlalchemy import Connection, Engine, delete
from sqlalchemy.exc import IntegrityError

from clary.database import migrate, reading, writing
from clary.objects.base import ObjectStore
from clary.registry import blobs, images
from clary.registry.errors import DigestInvalid
from clary.registry.tables import ROOM, uploads
from clary.registry.tables import blobs as blob_table
from clary.registry.uploads import Uploads

T = TypeVar("T")

UPLOADS_KEPT = 24 * 3600.0
"""Seconds that an upload is kept after its last bytes."""
UNNAMED_KEPT = 24 * 3600.0
"""Seconds that a repository keeps a blob that no image names: its image may be yet to come."""
GRACE = 3600.0
"""Seconds that a blob lies in the store though no repository has it."""
PLACES = 10_000
"""Files that are remembered."""
PREFIX = "blobs/"
_LOCKS = 64


class Registry:
    """Safe to use from any thread; methods block."""

    def __init__(self, engine: Engine, objects: ObjectStore, root: Path) -> None:
        migrate(engine, ROOM)
        self._engine = engine
        self._objects = objects
        self._bucket: str | None = None
        self._locks = [threading.Lock() for _ in range(_LOCKS)]
        """By digest: held while a blob is put into the store, or taken from it."""
        self._places: dict[str, str] = {}
        """Files of blobs, by digest: whoever starts an image asks for each of its layers."""
        self.uploads = Uploads(root / "uploads")

    def view(self, read: Callable[[Connection], T]) -> T:
        with reading(self._engine) as connection:
            return read(connection)

    def change(self, change: Callable[[Connection], T]) -> T:
        """Durable when it returns. Of two who add the same at once, the later finds it there at its second try."""
        try:
            with writing(self._engine) as connection:
                return change(connection)
        except IntegrityError:
            with writing(self._engine) as connection:
                return change(connection)

    def begin(self, repository: str) -> str:
        """A new upload, which is as many bytes as none."""
        upload = str(uuid4())
        self.uploads.start(upload)
        self.change(partial(blobs.begin_upload, upload=upload, repository=repository))
        return upload

    def finish(self, repository: str, upload: str, digest: str) -> int:
        """End an upload: the repository has the blob, whose size this returns. Raises `DigestInvalid` where its bytes
        are others, and forgets them."""
        opened = self.uploads.open(upload)
        opened.close()
        computed = f"sha256:{opened.digest.hexdigest()}"
        if computed != digest:
            self.cancel(upload)
            raise DigestInvalid(f"the {opened.size} bytes that came have the digest {computed}, not {digest}")
        with self._lock(digest):
            if self.view(partial(blobs.size_anywhere, digest=digest)) is None:
                self._places.pop(digest, None)
                self._objects.adopt(self._own_bucket(), key_of(digest), opened.path, _etag(digest))

            def end(connection: Connection) -> None:
                blobs.give(connection, repository, digest, opened.size)
                blobs.end_upload(connection, upload)

            self.change(end)
        self.uploads.discard(upload)
        return opened.size

    def cancel(self, upload: str) -> None:
        self.change(partial(blobs.end_upload, upload=upload))
        self.uploads.discard(upload)

    def mount(self, repository: str, source: str, digest: str) -> bool:
        """Have `repository` the blob of another, if that has it."""
        with self._lock(digest):

            def share(connection: Connection) -> bool:
                size = blobs.sizes_of(connection, source, [digest]).get(digest)
                if size is not None:
                    blobs.give(connection, repository, digest, size)
                return size is not None

            return self.change(share)

    def locate(self, digest: str) -> str:
        """Where a blob's bytes are, as `ObjectStore.locate` says it."""
        place = self._places.get(digest)
        if place is None:
            with self._lock(digest):
                place = self._objects.locate(self._own_bucket(), key_of(digest))
                if place.startswith("/"):  # a URL holds for a while only
                    self._remember(digest, place)
        return place

    def _remember(self, digest: str, place: str) -> None:
        if len(self._places) >= PLACES:
            self._places.clear()
        self._places[digest] = place

    def place(self, digest: str) -> tuple[str, str]:
        """Bucket and key of a blob."""
        return self._own_bucket(), key_of(digest)

    def forget(self, repository: str) -> None:
        """All of a repository that is deleted; within the transaction that deletes its record."""

        def forget(connection: Connection) -> None:
            images.forget(connection, repository)
            connection.execute(delete(blob_table).where(blob_table.c.repository == repository))
            connection.execute(delete(uploads).where(uploads.c.repository == repository))

        self.change(forget)

    def sweep(self) -> None:
        """Remove uploads that were given up, and blobs that nobody names any more."""
        now = time.time()
        for upload in self.uploads.untouched(now - UPLOADS_KEPT):
            self.cancel(upload)
        if self._bucket is None and self.view(blobs.are_none):
            return  # nobody has used the registry: an external store is asked for no bucket
        self.change(partial(blobs.drop_unnamed, before=now - UNNAMED_KEPT))
        for info in self._objects.list(self._own_bucket(), PREFIX):
            if info.modified < now - GRACE:
                self._remove_unnamed(info.key.removeprefix(PREFIX))

    def _remove_unnamed(self, digest: str) -> None:
        with self._lock(digest):
            if self.view(partial(blobs.size_anywhere, digest=digest)) is None:
                self._places.pop(digest, None)
                self._objects.remove(self._own_bucket(), key_of(digest))

    def _lock(self, digest: str) -> threading.Lock:
        return self._locks[hash(digest) % _LOCKS]

    def _own_bucket(self) -> str:
        if self._bucket is None:
            self._bucket = self._objects.own_bucket()
        return self._bucket


def key_of(digest: str) -> str:
    return f"{PREFIX}{digest}"


def _etag(digest: str) -> str:
    """With the dash that says in S3 that it is no MD5; who downloads a blob compares its digest."""
    return f"{digest.removeprefix('sha256:')[:32]}-1"
