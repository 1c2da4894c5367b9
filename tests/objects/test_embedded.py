"""The embedded store as the platform uses it: list, locate, read, adopt."""

import hashlib
import os
from pathlib import Path

import pytest

from clary.objects.embedded import EmbeddedStore
from clary.objects.open import ROOM
from tests.database.schema import assert_migrations_match
from tests.objects.conftest import open_at


def put(store: EmbeddedStore, directory: Path, key: str, content: bytes) -> None:
    path = directory / "upload"
    path.write_bytes(content)
    store.adopt("data", key, path)


def test_adopted_file_is_taken_and_found(store: EmbeddedStore, tmp_path: Path) -> None:
    path = tmp_path / "model.tar.gz"
    path.write_bytes(b"weights")
    info = store.adopt("data", "out/model.tar.gz", path)
    assert not path.exists()
    assert (info.key, info.size, info.etag) == ("out/model.tar.gz", 7, hashlib.md5(b"weights").hexdigest())
    assert store.read("data", "out/model.tar.gz") == b"weights"
    located = Path(store.locate("data", "out/model.tar.gz"))
    assert located.is_absolute()
    assert located.read_bytes() == b"weights"
    assert list(store.list("data", "out/")) == [info]


def test_missing_is_a_key_error_naming_the_object(store: EmbeddedStore, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x")
    for use in (
        lambda: store.read("data", "absent"),
        lambda: store.locate("data", "absent"),
    ):
        with pytest.raises(KeyError, match="s3://data/absent"):
            use()
    with pytest.raises(KeyError, match="s3://nowhere/key"):
        store.adopt("nowhere", "key", path)
    with pytest.raises(KeyError, match="s3://nowhere/"):
        list(store.list("nowhere", ""))


def test_keys_list_in_utf8_order_and_never_conflict(store: EmbeddedStore, tmp_path: Path) -> None:
    keys = ["a", "a/b", "a//b", "../x", ".", "Z", "é", "\U0001f600", "\uffee", "a\x01"]
    for key in keys:
        put(store, tmp_path, key, key.encode())
    assert [info.key for info in store.list("data", "")] == sorted(keys, key=str.encode)
    assert all(store.read("data", key) == key.encode() for key in keys)
    assert [info.key for info in store.list("data", "a/")] == ["a//b", "a/b"]


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


def test_reopened_store_keeps_objects_and_sweeps_orphans(store: EmbeddedStore, tmp_path: Path) -> None:
    put(store, tmp_path, "kept", b"kept")
    store.close()
    (tmp_path / "orphan").write_bytes(b"orphan")
    orphan = store.bodies.path(store.bodies.adopt(tmp_path / "orphan"))
    torn = tmp_path / "objects" / "incoming" / "torn"
    torn.write_bytes(b"half")
    reopened = open_at(tmp_path)
    reopened.sweep()
    assert not orphan.exists()
    assert not torn.exists()
    assert reopened.read("data", "kept") == b"kept"
    reopened.close()


def test_migrations_lead_to_the_tables(tmp_path: Path) -> None:
    assert_migrations_match(ROOM, tmp_path)
