"""Locks and archives, as the platform itself meets them, and what becomes of them with time."""

import time
from pathlib import Path
from typing import Any

import pytest

from clary.objects import buckets, versions
from clary.objects.archive import RESTORED_UNTIL
from clary.objects.embedded import EmbeddedStore
from clary.objects.errors import ObjectArchived, StoreError
from clary.objects.locks import HOLD, LOCKING, MODE, UNTIL
from tests.objects.conftest import put


def say(store: EmbeddedStore, **headers: Any) -> None:
    """Let headers be said of the object `key`."""
    store.change(lambda c: versions.set_headers(c, versions.find(c, "data", b"key"), headers))


def remove(store: EmbeddedStore, bypass: bool = False) -> None:
    store.change(lambda c: versions.remove(c, buckets.find(c, "data"), b"key", versions.NULL, bypass_governance=bypass))


@pytest.mark.parametrize("lock", [{MODE: "COMPLIANCE", UNTIL: time.time() + 86_400}, {HOLD: "ON"}])
def test_a_refused_removal_keeps_version_and_body(store: EmbeddedStore, tmp_path: Path, lock: dict[str, Any]) -> None:
    put(store, tmp_path, "key", b"content")
    say(store, **lock)
    with pytest.raises(StoreError, match="object protected by object lock"):
        remove(store, bypass=True)
    assert store.read("data", "key") == b"content"


def test_retention_ends(store: EmbeddedStore, tmp_path: Path) -> None:
    put(store, tmp_path, "key", b"content")
    say(store, **{MODE: "COMPLIANCE", UNTIL: time.time() - 1})
    remove(store)
    with pytest.raises(KeyError):
        store.read("data", "key")


def test_what_the_platform_puts_is_retained_like_all_else(store: EmbeddedStore, tmp_path: Path) -> None:
    configuration = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 1}}}
    store.change_bucket("data", lambda c: buckets.put_document(c, "data", LOCKING, configuration))
    put(store, tmp_path, "key", b"content")
    with pytest.raises(StoreError, match="object protected by object lock"):
        remove(store)


def test_an_archived_object_is_read_only_while_it_is_restored(store: EmbeddedStore, tmp_path: Path) -> None:
    put(store, tmp_path, "key", b"content")
    for restored in ({}, {RESTORED_UNTIL: time.time() - 1}):
        say(store, StorageClass="GLACIER", **restored)
        for use in (store.read, store.locate):
            with pytest.raises(ObjectArchived, match="s3://data/key"):
                use("data", "key")
    say(store, StorageClass="GLACIER", **{RESTORED_UNTIL: time.time() + 60})
    assert store.read("data", "key") == b"content"
