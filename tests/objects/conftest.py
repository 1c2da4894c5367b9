from collections.abc import Iterator
from pathlib import Path

import pytest

from clary.database import migrate, open_database
from clary.objects import buckets
from clary.objects.embedded import EmbeddedStore
from clary.objects.open import ROOM
from tests.postgres import postgres_server

ACCOUNT = "123456789012"


def open_at(directory: Path, url: str | None = None) -> EmbeddedStore:
    engine = open_database(url or f"sqlite:///{directory / 'clary.db'}")
    migrate(engine, ROOM)
    return EmbeddedStore(engine, directory / "objects")


def with_bucket(store: EmbeddedStore) -> EmbeddedStore:
    store.change(lambda connection: buckets.create(connection, "data", ACCOUNT, "us-east-1"))
    return store


def put(store: EmbeddedStore, directory: Path, key: str, content: bytes) -> None:
    path = directory / "upload"
    path.unlink(missing_ok=True)
    path.write_bytes(content)
    store.adopt("data", key, path)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EmbeddedStore]:
    """A store with one bucket, `data`."""
    store = with_bucket(open_at(tmp_path))
    yield store
    store.close()


@pytest.fixture
def store_on_postgres(tmp_path: Path) -> Iterator[EmbeddedStore]:
    with postgres_server() as url:
        store = with_bucket(open_at(tmp_path, url))
        yield store
        store.close()
