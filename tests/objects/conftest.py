from collections.abc import Iterator
from pathlib import Path

import pytest

from clary.database import migrate, open_database
from clary.objects import buckets
from clary.objects.embedded import EmbeddedStore
from clary.objects.open import ROOM

ACCOUNT = "123456789012"


def open_at(directory: Path) -> EmbeddedStore:
    engine = open_database(f"sqlite:///{directory / 'clary.db'}")
    migrate(engine, ROOM)
    return EmbeddedStore(engine, directory / "objects")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EmbeddedStore]:
    """A store with one bucket, `data`."""
    store = open_at(tmp_path)
    store.change(lambda connection: buckets.create(connection, "data", ACCOUNT, "us-east-1"))
    yield store
    store.close()
