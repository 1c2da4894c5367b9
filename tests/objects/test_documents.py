"""What is kept with buckets is in memory what it is on disk."""

from pathlib import Path
from typing import NoReturn

import pytest

from clary.database import open_database
from clary.objects import buckets
from clary.objects.embedded import EmbeddedStore
from clary.objects.open import open_embedded
from clary.settings import Settings


def open_at(path: Path) -> EmbeddedStore:
    settings = Settings(state=path)
    return open_embedded(settings, open_database(settings.database_url))


def test_documents_follow_their_bucket(tmp_path: Path) -> None:
    store = open_at(tmp_path)
    assert store.documents.of("data", "Kind") is None
    store.change_bucket("data", lambda connection: buckets.create(connection, "data", "1" * 12, "us-east-1"))
    store.change_bucket("data", lambda connection: buckets.put_document(connection, "data", "Kind", {"a": 1}))
    assert store.documents.of("data", "Kind") == {"a": 1}
    assert store.documents.of("data", "Other") is None
    store.close()
    store = open_at(tmp_path)
    assert store.documents.of("data", "Kind") == {"a": 1}
    store.change_bucket("data", lambda connection: buckets.remove(connection, "data"))
    assert store.documents.of("data", "Kind") is None
    store.close()


def test_what_could_not_be_read_is_read_before_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_at(tmp_path)
    store.change_bucket("data", lambda connection: buckets.create(connection, "data", "1" * 12, "us-east-1"))

    def away(*_: object) -> NoReturn:
        raise OSError("the database is away")

    with monkeypatch.context() as patch:
        patch.setattr(store.documents, "_view", away)
        with pytest.raises(OSError, match="away"):
            store.change_bucket("data", lambda connection: buckets.put_document(connection, "data", "Kind", {"a": 1}))
        with pytest.raises(OSError, match="away"):
            store.documents.of("data", "Kind")
    assert store.documents.of("data", "Kind") == {"a": 1}
    store.close()
