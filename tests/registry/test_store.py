"""What becomes of blobs: shared, swept, and not to be reached otherwise."""

import asyncio
import os
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from clary.database import migrate, open_database
from clary.objects.embedded import OWN_BUCKET, EmbeddedStore
from clary.objects.open import ROOM
from clary.registry import blobs, images, store
from clary.registry.errors import BlobUnknown, DigestInvalid
from clary.registry.manifests import read_manifest
from clary.registry.store import Registry
from tests.pictures import digest_of, picture


@pytest.fixture
def objects(url: str, tmp_path: Path) -> EmbeddedStore:
    engine = open_database(url)
    migrate(engine, ROOM)
    return EmbeddedStore(engine, tmp_path / "objects")


@pytest.fixture
def registry(url: str, tmp_path: Path, objects: EmbeddedStore) -> Registry:
    return Registry(open_database(url), objects, tmp_path / "registry")


def keep(registry: Registry, repository: str, content: bytes) -> str:
    upload = registry.begin(repository)
    opened = registry.uploads.open(upload)
    opened.write(content)
    registry.uploads.keep(upload, opened)
    registry.finish(repository, upload, digest_of(content))
    return digest_of(content)


def stored(objects: EmbeddedStore) -> list[str]:
    return [info.key for info in objects.list(OWN_BUCKET, "")]


def has(registry: Registry, repository: str, digest: str) -> bool:
    return bool(registry.view(lambda connection: blobs.sizes_of(connection, repository, [digest])))


def nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("UPLOADS_KEPT", "UNNAMED_KEPT", "GRACE"):
        monkeypatch.setattr(store, name, -1.0)


def test_a_blob_lies_once_however_many_repositories_have_it(registry: Registry, objects: EmbeddedStore) -> None:
    content = os.urandom(10_000)
    digest = keep(registry, "one", content)
    place = registry.locate(digest)
    assert keep(registry, "two", content) == digest
    assert registry.locate(digest) == place
    assert stored(objects) == [f"blobs/{digest}"]
    assert registry.mount("three", "two", digest)
    assert not registry.mount("three", "two", digest_of(b"other"))
    assert not list((Path(place).parents[2] / "registry" / "uploads").iterdir())


def test_many_who_send_the_same_blob_at_once_all_have_it(registry: Registry, objects: EmbeddedStore) -> None:
    content = os.urandom(1 << 20)
    failures: list[BaseException] = []

    def send(repository: str) -> None:
        try:
            keep(registry, repository, content)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=send, args=(f"repository-{number % 4}",)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert all(has(registry, f"repository-{number}", digest_of(content)) for number in range(4))
    assert stored(objects) == [f"blobs/{digest_of(content)}"]
    assert Path(registry.locate(digest_of(content))).read_bytes() == content


def test_many_who_push_the_same_image_at_once_all_have_pushed_it(registry: Registry) -> None:
    made = picture({"a": b"a"})
    for blob in made.blobs:
        keep(registry, "one", blob)
    manifest, failures = read_manifest(made.manifest), []

    def push() -> None:
        try:
            registry.change(lambda connection: images.put(connection, "one", manifest, made.manifest, "v1"))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=push) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert registry.view(lambda connection: images.tags_of(connection, "one")) == {"v1": made.digest}


def test_a_wrong_digest_leaves_nothing(registry: Registry, tmp_path: Path) -> None:
    upload = registry.begin("one")
    registry.uploads.path(upload).write_bytes(b"content")
    with pytest.raises(DigestInvalid):
        registry.finish("one", upload, digest_of(b"other"))
    assert not list((tmp_path / "registry" / "uploads").iterdir())
    assert not (tmp_path / "objects" / "incoming").exists() or not list((tmp_path / "objects" / "incoming").iterdir())


def test_what_was_sent_is_hashed_again_where_its_digest_was_forgotten(registry: Registry, tmp_path: Path) -> None:
    content = os.urandom(3 << 20)
    upload = registry.begin("one")

    async def sent(part: bytes) -> AsyncIterator[bytes]:
        for start in range(0, len(part), 100_000):
            yield part[start : start + 100_000]

    assert asyncio.run(registry.uploads.receive(upload, sent(content[: 1 << 20]))) == 1 << 20
    again = Registry(registry._engine, registry._objects, tmp_path / "registry")
    assert again.uploads.size(upload) == 1 << 20
    asyncio.run(again.uploads.receive(upload, sent(content[1 << 20 :])))
    assert again.finish("one", upload, digest_of(content)) == len(content)
    assert Path(again.locate(digest_of(content))).read_bytes() == content


def test_blobs_that_no_image_names_are_swept(
    registry: Registry, objects: EmbeddedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = picture({"a": b"a"})
    for blob in (*made.blobs, b"named by nobody"):
        keep(registry, "one", blob)
    keep(registry, "two", made.layer)
    manifest = read_manifest(made.manifest)
    registry.change(lambda connection: images.put(connection, "one", manifest, made.manifest, "v1"))
    half = registry.begin("one")
    registry.sweep()
    assert len(stored(objects)) == 3
    assert registry.uploads.size(half) == 0
    assert Path(registry.locate(digest_of(made.layer))).read_bytes() == made.layer
    nobody_waits(monkeypatch)
    registry.sweep()
    assert sorted(stored(objects)) == sorted(f"blobs/{digest_of(blob)}" for blob in made.blobs)
    assert not has(registry, "two", digest_of(made.layer))
    assert not registry.uploads.path(half).exists()
    registry.forget("one")
    registry.sweep()
    assert stored(objects) == []
    with pytest.raises(KeyError):
        registry.locate(digest_of(made.layer))
    with pytest.raises(BlobUnknown):
        registry.view(lambda connection: blobs.size_of(connection, "one", digest_of(made.layer)))
    keep(registry, "one", made.layer)
    assert Path(registry.locate(digest_of(made.layer))).read_bytes() == made.layer
