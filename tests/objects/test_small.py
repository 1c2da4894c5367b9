"""Small bodies: rows of the catalogue that become files where files are needed."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, select

from clary.objects import buckets, versions
from clary.objects.embedded import EmbeddedStore
from clary.objects.errors import StoreError
from clary.objects.ingest import Ingested, Sink
from clary.objects.small import LARGEST
from clary.objects.tables import dead_bodies, small_bodies
from clary.objects.versions import Content, Version
from tests.objects.conftest import open_at


def take_in(store: EmbeddedStore, key: str, content: bytes, refuse: bool = False) -> Version:
    async def chunks() -> AsyncIterator[bytes]:
        yield content[:10]
        yield content[10:]

    def settle(sink: Sink) -> dict[str, str]:
        return {"ChecksumSHA1": sink.digest("SHA1").hex()}  # which was not announced

    def put(connection: Connection, received: Ingested) -> Version:
        taken = Content(received.body, received.size, received.etag, {}, received.checksums)
        version = versions.put(connection, buckets.find(connection, "data"), key.encode(), taken)
        if refuse:
            raise StoreError("Refused", "refused")
        return version

    return asyncio.run(store.take_in(chunks(), {"CRC32"}, settle, put, small=True))


def files(directory: Path) -> list[Path]:
    return [path for path in (directory / "objects").rglob("*") if path.is_file()]


def rows(store: EmbeddedStore) -> list[bytes]:
    return list(store.view(lambda c: c.execute(select(small_bodies.c.content).order_by(small_bodies.c.id)).scalars()))


@pytest.fixture(params=["store", pytest.param("store_on_postgres", marks=pytest.mark.slow)])
def anywhere(request: pytest.FixtureRequest) -> EmbeddedStore:
    """A store on each database."""
    chosen: EmbeddedStore = request.getfixturevalue(request.param)
    return chosen


@pytest.mark.parametrize(("size", "is_row"), [(0, True), (1, True), (LARGEST, True), (LARGEST + 1, False)])
def test_a_body_is_a_row_up_to_a_size(anywhere: EmbeddedStore, tmp_path: Path, size: int, is_row: bool) -> None:
    content = os.urandom(size)
    version = take_in(anywhere, "key", content)
    assert (rows(anywhere), len(files(tmp_path))) == (([content], 0) if is_row else ([], 1))
    assert version.checksums == {"ChecksumSHA1": hashlib.sha1(content).hexdigest()}
    assert anywhere.read("data", "key") == content
    assert Path(anywhere.locate("data", "key")).read_bytes() == content


def test_a_refused_change_leaves_nothing(anywhere: EmbeddedStore, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="refused"):
        take_in(anywhere, "key", b"content", refuse=True)
    assert (rows(anywhere), files(tmp_path)) == ([], [])


def test_the_file_of_a_small_body_is_made_once_and_kept_at_the_next_start(store: EmbeddedStore, tmp_path: Path) -> None:
    take_in(store, "key", b"content")
    located = Path(store.locate("data", "key"))
    assert Path(store.locate("data", "key")).stat().st_ino == located.stat().st_ino
    store.close()
    reopened = open_at(tmp_path)
    reopened.sweep()
    assert located.read_bytes() == b"content"
    reopened.close()


def test_a_file_that_was_not_flushed_does_not_outlive_the_kernel(store: EmbeddedStore, tmp_path: Path) -> None:
    take_in(store, "key", b"content")
    located = Path(store.locate("data", "key"))
    store.close()
    located.write_bytes(b"torn")
    located.parent.rename(located.parent.with_name("an-earlier-boot"))
    reopened = open_at(tmp_path)
    assert Path(reopened.locate("data", "key")).read_bytes() == b"content"
    assert not located.parent.with_name("an-earlier-boot").exists()
    reopened.close()


def test_row_and_file_are_buried_together_and_the_name_is_not_given_again(
    anywhere: EmbeddedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clary.objects.embedded.GRACE", -1.0)
    old = take_in(anywhere, "key", b"old")
    located = Path(anywhere.locate("data", "key"))
    anywhere.change(lambda c: versions.remove(c, buckets.find(c, "data"), b"key", None))
    anywhere.bury()
    assert (rows(anywhere), located.exists()) == ([], False)
    assert anywhere.view(lambda c: c.execute(select(dead_bodies)).all()) == []
    new = take_in(anywhere, "key", b"new")
    assert new.body != old.body
    assert anywhere.read("data", "key") == b"new"
