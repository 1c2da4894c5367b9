"""The contract of `ObjectStore`, on the embedded store and on an external one, for which a Clary stands in."""

import hashlib
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from clary.objects.base import ObjectStore
from clary.objects.embedded import EmbeddedStore
from clary.objects.errors import ObjectArchived
from clary.objects.external import ExternalStore
from clary.settings import Settings
from tests.platform import Platform
from tests.programs import post


@pytest.fixture
def external(platform: Platform, tmp_path: Path) -> ExternalStore:
    """With one new bucket, `data`."""
    s3: Any = platform.client("s3")
    s3.create_bucket(Bucket="data")
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket="data"):
        for item in page.get("Contents", ()):
            s3.delete_object(Bucket="data", Key=item["Key"])
    access_key, secret_key = platform.keys()
    return ExternalStore(
        Settings(
            state=tmp_path / "unused", s3_endpoint=platform.url, s3_access_key=access_key, s3_secret_key=secret_key
        )
    )


@pytest.fixture(params=["store", pytest.param("store_on_postgres", marks=pytest.mark.slow), "external"])
def objects(request: pytest.FixtureRequest) -> ObjectStore:
    chosen: ObjectStore = request.getfixturevalue(request.param)
    return chosen


def adopt(objects: ObjectStore, directory: Path, key: str, content: bytes) -> Any:
    path = directory / "upload"
    path.unlink(missing_ok=True)
    path.write_bytes(content)
    return objects.adopt("data", key, path)


def fetch(location: str) -> bytes:
    """As an instance does: from a file, or by URL."""
    if location.startswith("/"):
        return Path(location).read_bytes()
    with urllib.request.urlopen(location) as answer:
        content: bytes = answer.read()
    return content


def test_an_adopted_file_is_found_and_stays(objects: ObjectStore, tmp_path: Path) -> None:
    info = adopt(objects, tmp_path, "out/model.tar.gz", b"weights")
    assert (tmp_path / "upload").read_bytes() == b"weights"
    assert (info.key, info.size, info.etag) == ("out/model.tar.gz", 7, hashlib.md5(b"weights").hexdigest())
    assert objects.read("data", "out/model.tar.gz") == b"weights"
    assert fetch(objects.locate("data", "out/model.tar.gz")) == b"weights"
    (listed,) = objects.list("data", "out/")
    assert (listed.key, listed.size, listed.etag) == (info.key, info.size, info.etag)
    assert int(listed.modified) == int(info.modified)
    assert objects.find("data", "out/model.tar.gz") == info
    assert objects.adopt("data", "kind", tmp_path / "upload", content_type="text/csv").content_type == "text/csv"
    assert objects.find("data", "kind").content_type == "text/csv"


def test_an_etag_that_is_known_need_not_be_computed(store: EmbeddedStore, tmp_path: Path) -> None:
    path = tmp_path / "body"
    path.write_bytes(b"x" * 10_000)
    info = store.adopt("data", "key", path, "0123-1")
    assert (info.size, info.etag) == (10_000, "0123-1")
    assert store.read("data", "key") == b"x" * 10_000


def test_what_is_missing_is_a_key_error_that_names_it(objects: ObjectStore, tmp_path: Path) -> None:
    for use in (objects.read, objects.locate, objects.find):
        with pytest.raises(KeyError, match="s3://data/absent"):
            use("data", "absent")
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(KeyError, match="s3://nowhere/key"):
        objects.adopt("nowhere", "key", tmp_path / "file")
    assert (tmp_path / "file").exists()
    with pytest.raises(KeyError, match="s3://nowhere/prefix"):
        list(objects.list("nowhere", "prefix"))


def test_an_archived_object_says_so(platform: Platform, external: ExternalStore) -> None:
    """The embedded store's own is in `test_locks`."""
    platform.client("s3").put_object(Bucket="data", Key="cold", Body=b"x", StorageClass="GLACIER")
    for use in (external.read, external.locate):
        with pytest.raises(ObjectArchived, match="s3://data/cold"):
            use("data", "cold")


def test_keys_are_listed_in_utf8_order_and_never_conflict(objects: ObjectStore, tmp_path: Path) -> None:
    keys = ["a", "a/b", "a//b", "../x", ".", "Z", "é", "\U0001f600", "\uffee", "a\x01"]
    for key in keys:
        adopt(objects, tmp_path, key, key.encode())
    assert [info.key for info in objects.list("data", "")] == sorted(keys, key=str.encode)
    assert all(objects.read("data", key) == key.encode() for key in keys)
    assert [info.key for info in objects.list("data", "a/")] == ["a//b", "a/b"]


def test_an_instance_puts_what_it_leaves(objects: ObjectStore) -> None:
    """By a URL of the store's own, or by one that the platform signs."""
    url = objects.destination("data", "out/é b.tar.gz")
    if isinstance(objects, ExternalStore):
        assert url is not None
        with urllib.request.urlopen(urllib.request.Request(url, b"weights", method="PUT")):
            pass
        assert objects.read("data", "out/é b.tar.gz") == b"weights"
    else:
        assert url is None


def test_an_instance_posts_files_whose_names_only_it_knows(objects: ObjectStore) -> None:
    found = objects.form("data", "checkpoints/")
    if isinstance(objects, ExternalStore):
        assert found is not None
        url, fields = found
        for key, status in (("checkpoints/é/1", 204), ("other/1", 403)):
            assert post(url, {**fields, "key": key}, b"weights") == status
        assert [info.key for info in objects.list("data", "")] == ["checkpoints/é/1"]
    else:
        assert found is None


def test_the_platforms_own_bucket_is_made_once_and_what_is_removed_from_it_is_gone(
    objects: ObjectStore, tmp_path: Path
) -> None:
    bucket = objects.own_bucket()
    assert objects.own_bucket() == bucket
    path = tmp_path / "kept"
    path.write_bytes(b"kept")
    objects.adopt(bucket, "a/kept", path)
    assert [info.key for info in objects.list(bucket, "a/")] == ["a/kept"]
    objects.remove(bucket, "a/kept")
    objects.remove(bucket, "a/kept")
    assert list(objects.list(bucket, "a/")) == []
    with pytest.raises(KeyError):
        objects.read(bucket, "a/kept")
