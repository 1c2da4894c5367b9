"""Lifecycle rules come true: at their time, for what they are about, and for nothing else."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from clary.objects import buckets, uploads, versions
from clary.objects.embedded import EmbeddedStore
from clary.objects.listing import UPLOADS, VERSIONS, Query, read_page
from clary.objects.locks import HOLD
from clary.objects.versions import Content, Version
from clary.services.s3.lifecycle import KIND, sweep
from tests.objects.conftest import open_at, with_bucket
from tests.platform import Platform

DAY = 24 * 3600.0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EmbeddedStore]:
    store = with_bucket(open_at(tmp_path))
    yield store
    store.close()


@pytest.fixture
def versioned(store: EmbeddedStore) -> EmbeddedStore:
    store.change(lambda connection: buckets.set_versioning(connection, "data", "Enabled"))
    return store


def rule_with(store: EmbeddedStore, *rules: dict[str, Any]) -> None:
    document = {"Rules": [{"ID": str(n), "Status": "Enabled", "Filter": {}, **rule} for n, rule in enumerate(rules)]}
    store.change_bucket("data", lambda connection: buckets.put_document(connection, "data", KIND, document))


def write(store: EmbeddedStore, key: str, content: bytes = b"x", **said: Any) -> Version:
    incoming = store.bodies.start()
    incoming.write(content)
    kept = Content(incoming.place(), len(content), "etag", **said)

    def put(connection: Connection) -> Version:
        return versions.put(connection, buckets.find(connection, "data"), key.encode(), kept)

    return store.change(put)


def delete(store: EmbeddedStore, key: str) -> None:
    store.change(lambda c: versions.remove(c, buckets.find(c, "data"), key.encode(), None))


def left(store: EmbeddedStore) -> list[str]:
    """Keys of all versions, newest first; a delete marker is written in brackets."""
    page = store.view(partial(read_page, source=VERSIONS, query=Query("data", 1000)))
    return [each.key.decode() if each.body else f"[{each.key.decode()}]" for each in page.rows]


def in_days(days: float) -> float:
    return time.time() + days * DAY


def test_objects_expire_at_the_midnight_after_their_days(store: EmbeddedStore) -> None:
    version = write(store, "tmp/key")
    write(store, "kept/key")
    rule_with(store, {"Filter": {"Prefix": "tmp/"}, "Expiration": {"Days": 3}})
    due = version.modified + 3 * DAY
    sweep.sweep(store, due)
    assert left(store) == ["kept/key", "tmp/key"]
    sweep.sweep(store, due - due % DAY + DAY)
    assert left(store) == ["kept/key"]


def test_objects_expire_at_a_date(store: EmbeddedStore) -> None:
    write(store, "key")
    rule_with(store, {"Expiration": {"Date": in_days(1)}})
    sweep.sweep(store, in_days(0.9))
    assert left(store) == ["key"]
    sweep.sweep(store, in_days(1.1))
    assert left(store) == []


def test_a_rule_that_is_disabled_does_nothing(store: EmbeddedStore) -> None:
    write(store, "key")
    rule_with(store, {"Expiration": {"Days": 1}, "Status": "Disabled"})
    sweep.sweep(store, in_days(9))
    assert left(store) == ["key"]


def test_what_a_rule_is_about_has_its_tags_and_its_size(store: EmbeddedStore) -> None:
    old = {"Key": "stage", "Value": "old"}
    write(store, "fits", b"12345", tags=[old, {"Key": "a", "Value": "b"}])
    write(store, "small", b"1234", tags=[old])
    write(store, "large", b"1234567", tags=[old])
    write(store, "untagged", b"12345")
    chosen = {"Tags": [old], "ObjectSizeGreaterThan": 4, "ObjectSizeLessThan": 7}
    rule_with(store, {"Filter": {"And": chosen}, "Expiration": {"Days": 1}})
    sweep.sweep(store, in_days(3))
    assert left(store) == ["large", "small", "untagged"]


def test_an_object_with_versions_goes_under_a_marker_then_for_good(versioned: EmbeddedStore) -> None:
    write(versioned, "key")
    write(versioned, "key")
    rule_with(
        versioned,
        {"Expiration": {"Days": 10}},
        {"NoncurrentVersionExpiration": {"NoncurrentDays": 20}},
        {"Expiration": {"ExpiredObjectDeleteMarker": True}},
    )
    sweep.sweep(versioned, in_days(5))
    assert left(versioned) == ["key", "key"]
    sweep.sweep(versioned, in_days(12))
    assert left(versioned) == ["[key]", "key", "key"]
    sweep.sweep(versioned, in_days(19))
    assert left(versioned) == ["[key]", "key", "key"]
    sweep.sweep(versioned, in_days(30))
    assert left(versioned) == ["[key]"]
    sweep.sweep(versioned, in_days(30))
    assert left(versioned) == []


def test_the_newest_of_the_noncurrent_versions_may_be_kept(versioned: EmbeddedStore) -> None:
    ids = [write(versioned, "key").version_id for _ in range(5)]
    write(versioned, "other")
    rule_with(versioned, {"NoncurrentVersionExpiration": {"NoncurrentDays": 1, "NewerNoncurrentVersions": 2}})
    sweep.sweep(versioned, in_days(3))
    page = versioned.view(partial(read_page, source=VERSIONS, query=Query("data", 10)))
    assert [each.version_id for each in page.rows][:3] == ids[::-1][:3]
    assert left(versioned) == ["key", "key", "key", "other"]


def test_a_marker_with_something_below_it_stays(versioned: EmbeddedStore) -> None:
    write(versioned, "key")
    delete(versioned, "key")
    delete(versioned, "lone")
    rule_with(versioned, {"Expiration": {"ExpiredObjectDeleteMarker": True}})
    sweep.sweep(versioned, in_days(0))
    assert left(versioned) == ["[key]", "key"]


def test_what_is_locked_stays_and_keeps_nothing_else(versioned: EmbeddedStore) -> None:
    for key, said in (("a", {}), ("locked", {HOLD: "ON"}), ("z", {})):
        write(versioned, key, headers=said)
        write(versioned, key)
    rule_with(versioned, {"NoncurrentVersionExpiration": {"NoncurrentDays": 1}})
    sweep.sweep(versioned, in_days(3))
    assert left(versioned) == ["a", "locked", "locked", "z"]


def test_uploads_that_were_never_completed_are_aborted(store: EmbeddedStore) -> None:
    for key in (b"tmp/key", b"key"):
        store.change(lambda c, key=key: uploads.start(c, "data", key, {}, [], "CRC32", "COMPOSITE"))
    abort = {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 2}}
    rule_with(store, {"Filter": {"Prefix": "tmp/"}, **abort})
    sweep.sweep(store, in_days(1))
    open_uploads = partial(read_page, source=UPLOADS, query=Query("data", 9))
    assert len(store.view(open_uploads).rows) == 2
    sweep.sweep(store, in_days(4))
    assert [each.key for each in store.view(open_uploads).rows] == [b"key"]


def test_more_than_a_page_goes(store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "PAGE", 3)
    monkeypatch.setattr(sweep, "AT_ONCE", 2)
    for number in range(8):
        write(store, f"{number}")
    rule_with(store, {"Expiration": {"Days": 1}})
    sweep.sweep(store, in_days(3))
    assert left(store) == []


def test_what_changed_after_it_was_judged_stays(store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    write(store, "key", b"old")
    rule_with(store, {"Expiration": {"Days": 1}})
    change = store.change

    def overtaken(*arguments: Any) -> Any:
        monkeypatch.undo()
        write(store, "key", b"new")
        return change(*arguments)

    monkeypatch.setattr(store, "change", overtaken)
    sweep.sweep(store, in_days(3))
    assert store.read("data", "key") == b"new"


def test_a_version_that_was_tagged_anew_meanwhile_stays(
    versioned: EmbeddedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = {"Key": "stage", "Value": "old"}
    version = write(versioned, "key", tags=[old])
    write(versioned, "key")
    rule_with(versioned, {"Filter": {"Tag": old}, "NoncurrentVersionExpiration": {"NoncurrentDays": 1}})
    change = versioned.change

    def overtaken(*arguments: Any) -> Any:
        monkeypatch.undo()
        change(partial(versions.set_tags, version=version, tags=[]))
        return change(*arguments)

    monkeypatch.setattr(versioned, "change", overtaken)
    sweep.sweep(versioned, in_days(3))
    assert left(versioned) == ["key", "key"]


def test_rules_that_were_taken_away_meanwhile_do_nothing(store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    write(store, "key")
    rule_with(store, {"Expiration": {"Days": 1}})
    change = store.change

    def overtaken(*arguments: Any) -> Any:
        monkeypatch.undo()
        rule_with(store, {"Expiration": {"Days": 100}})
        return change(*arguments)

    monkeypatch.setattr(store, "change", overtaken)
    sweep.sweep(store, in_days(3))
    assert left(store) == ["key"]


def test_a_bucket_that_fails_keeps_no_other_from_its_turn(store: EmbeddedStore) -> None:
    unreadable = {"Rules": [{"Status": "Enabled", "Filter": {}, "Expiration": {"Days": "many"}}]}
    store.change(lambda connection: buckets.create(connection, "another", "1" * 12, "us-east-1"))
    write(store, "key")
    store.change(lambda c: versions.put(c, buckets.find(c, "another"), b"key", Content("0" * 32, 1, "etag")))
    # First, as documents are in memory in the order in which buckets came to have one.
    store.change_bucket("another", lambda c: buckets.put_document(c, "another", KIND, unreadable))
    rule_with(store, {"Expiration": {"Days": 1}})
    sweep.sweep(store, in_days(3))
    assert left(store) == []


def test_a_platform_sweeps_when_it_starts(own_platform: Platform) -> None:
    s3 = own_platform.client("s3")
    s3.create_bucket(Bucket="swept")
    for key in ("tmp/key", "kept"):
        s3.put_object(Bucket="swept", Key=key, Body=b"x")
    rule = {"Filter": {"Prefix": "tmp/"}, "Status": "Enabled", "Expiration": {"Date": datetime(2020, 1, 1, tzinfo=UTC)}}
    s3.put_bucket_lifecycle_configuration(Bucket="swept", LifecycleConfiguration={"Rules": [rule]})
    own_platform.kill()
    own_platform.up()
    s3 = own_platform.client("s3")
    s3.get_waiter("object_not_exists").wait(
        Bucket="swept", Key="tmp/key", WaiterConfig={"Delay": 0.05, "MaxAttempts": 200}
    )
    assert s3.get_object(Bucket="swept", Key="kept")["Body"].read() == b"x"
