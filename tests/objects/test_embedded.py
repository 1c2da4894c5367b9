"""What only the embedded store has: files of its own, which outlive their objects for a while, and orphans."""

import os
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, select

from clary.objects import buckets, versions
from clary.objects.embedded import EmbeddedStore
from clary.objects.open import ROOM
from clary.objects.tables import dead_bodies
from clary.objects.versions import Content
from tests.database.schema import assert_migrations_match
from tests.objects.conftest import open_at, put


def test_list_goes_on_past_a_page(store: EmbeddedStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clary.objects.embedded.PAGE", 3)
    keys = [f"k{number}" for number in range(7)]
    for key in keys:
        put(store, tmp_path, key, b"")
    assert [info.key for info in store.list("data", "k")] == keys


def test_a_link_to_a_file_is_not_adopted(store: EmbeddedStore, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"key")
    link = tmp_path / "model.tar.gz"
    link.symlink_to(secret)
    with pytest.raises(ValueError, match="not a regular file"):
        store.adopt("data", "model", link)
    assert secret.exists()


def test_replaced_body_outlives_its_object_and_jobs_links_outlive_it(
    store: EmbeddedStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, tmp_path, "key", b"old")
    located = Path(store.locate("data", "key"))
    os.link(located, tmp_path / "link")
    put(store, tmp_path, "key", b"new")
    store.bury()
    assert located.read_bytes() == b"old"
    monkeypatch.setattr("clary.objects.embedded.GRACE", -1.0)
    store.bury()
    assert not located.exists()
    assert (tmp_path / "link").read_bytes() == b"old"
    assert store.read("data", "key") == b"new"


def copy_onto_itself(store: EmbeddedStore, key: bytes) -> None:
    def change(connection: Connection) -> None:
        source = versions.find(connection, "data", key)
        content = Content(source.body, source.size, source.etag, {"Metadata": {"new": "one"}})
        versions.put(connection, buckets.find(connection, "data"), key, content)

    store.change(change)


def test_a_body_that_its_successor_names_lives_on(
    store: EmbeddedStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clary.objects.embedded.GRACE", -1.0)
    put(store, tmp_path, "key", b"content")
    copy_onto_itself(store, b"key")
    store.bury()
    assert store.read("data", "key") == b"content"


def test_a_named_body_is_struck_off_the_list_of_the_dead_and_not_buried(
    store: EmbeddedStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clary.objects.embedded.GRACE", -1.0)
    put(store, tmp_path, "key", b"content")
    body = Path(store.locate("data", "key")).name
    store.change(lambda connection: connection.execute(insert(dead_bodies).values(body=body, since=0)))
    store.bury()
    assert store.read("data", "key") == b"content"
    assert store.view(lambda connection: connection.execute(select(dead_bodies)).all()) == []


def outlast_tick(newest: Path) -> None:
    """Until the file system's clock, which only ticks now and then, is past the time of a file."""
    made = newest.stat().st_ctime
    later = newest.parent.parent / "later"
    while True:
        later.touch()
        if later.stat().st_ctime > made:
            return


def test_reopened_store_keeps_objects_and_sweeps_orphans(store: EmbeddedStore, tmp_path: Path) -> None:
    put(store, tmp_path, "kept", b"kept")
    store.close()
    (tmp_path / "orphan").write_bytes(b"orphan")
    orphan = store.bodies.path(store.bodies.adopt(tmp_path / "orphan"))
    torn = tmp_path / "objects" / "incoming" / "torn"
    torn.write_bytes(b"half")
    outlast_tick(torn)
    reopened = open_at(tmp_path)
    reopened.sweep()
    assert not orphan.exists()
    assert not torn.exists()
    assert reopened.read("data", "kept") == b"kept"
    reopened.close()


def test_migrations_lead_to_the_tables(tmp_path: Path) -> None:
    assert_migrations_match(ROOM, tmp_path)
