"""Random histories: whatever happened to a store, every version and part has the bytes that were put, and in the end
nothing else is on the disk."""

import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import Connection, select, union

from clary.objects import buckets, small, uploads, versions
from clary.objects.bodies import Extent
from clary.objects.dead import strike_off
from clary.objects.embedded import EmbeddedStore
from clary.objects.tables import dead_bodies, parts, small_bodies
from clary.objects.tables import versions as version_table
from clary.objects.uploads import Part, Upload
from clary.objects.versions import NULL, Content, Version
from tests.objects.conftest import open_at, with_bucket

keys = st.sampled_from([b"a", b"b"])
contents = st.binary(max_size=8)
picks = st.integers(0, 1000)


class Histories(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(EmbeddedStore, "_keep_house", lambda _: None)  # the rules do, one at a time
        self.directory = Path(tempfile.mkdtemp())
        self.store = with_bucket(open_at(self.directory))
        self.stacks: dict[bytes, list[tuple[str, bytes | None]]] = {b"a": [], b"b": []}
        """Of each key, its versions from the oldest on: id and content, None for a delete marker."""
        self.uploads: list[tuple[Upload, dict[int, bytes]]] = []

    def teardown(self) -> None:
        self.bury()
        self.restart()
        rows = self.rows()
        self.store.close()
        files = {path.name for path in (self.directory / "objects").rglob("*") if path.is_file()}
        named = self.named()
        assert files <= named
        assert named - files <= rows <= named
        shutil.rmtree(self.directory)
        self.patch.undo()

    @rule(key=keys, content=contents)
    def put(self, key: bytes, content: bytes) -> None:
        self.put_body(key, self.body_of(content), content)

    @rule(key=keys, content=contents)
    def put_small(self, key: bytes, content: bytes) -> None:
        def change(connection: Connection) -> Version:
            body = small.keep(connection, content)
            bucket = buckets.find(connection, "data")
            return versions.put(connection, bucket, key, Content(body, len(content), ""))

        self.note(key, self.store.change(change), content)

    @precondition(lambda self: self.readable())
    @rule(pick=picks)
    def make_a_file(self, pick: int) -> None:
        key, version_id, content = self.readable()[pick % len(self.readable())]
        found = self.store.view(lambda connection: versions.find(connection, "data", key, version_id))
        assert found.body
        assert self.store.file_of(found.body).read_bytes() == content

    @precondition(lambda self: self.readable())
    @rule(key=keys, pick=picks)
    def copy(self, key: bytes, pick: int) -> None:
        self.copy_version(*self.readable()[pick % len(self.readable())], key)

    @precondition(lambda self: self.readable())
    @rule(pick=picks, times=st.integers(1, 2))
    def copy_onto_itself(self, pick: int, times: int) -> None:
        key, version_id, content = self.readable()[pick % len(self.readable())]
        for _ in range(times):
            version_id = self.copy_version(key, version_id, content, key)

    @rule(key=keys)
    def delete(self, key: bytes) -> None:
        removed = self.remove(key, None)
        if removed and removed.body is None:
            self.note(key, removed, None)
        else:
            self.forget(key, NULL)

    @precondition(lambda self: any(self.stacks.values()))
    @rule(pick=picks)
    def delete_version(self, pick: int) -> None:
        every = [(key, version_id) for key, stack in self.stacks.items() for version_id, _ in stack]
        key, version_id = every[pick % len(every)]
        assert self.remove(key, version_id)
        self.forget(key, version_id)

    @precondition(lambda self: any(self.stacks.values()))
    @rule(versioning=st.sampled_from(["Enabled", "Suspended"]))
    def set_versioning(self, versioning: str) -> None:
        self.store.change(lambda connection: buckets.set_versioning(connection, "data", versioning))

    @rule(key=keys)
    def start_upload(self, key: bytes) -> None:
        start: Callable[[Connection], Upload] = lambda c: uploads.start(c, "data", key, {}, [], "CRC32", "COMPOSITE")  # noqa: E731
        self.uploads.append((self.store.change(start), {}))

    @precondition(lambda self: self.uploads)
    @rule(pick=picks, number=st.integers(1, 2), content=contents)
    def put_part(self, pick: int, number: int, content: bytes) -> None:
        upload, sent = self.uploads[pick % len(self.uploads)]
        part = Part(number, self.body_of(content), len(content), "", 0.0, {})
        self.store.change(lambda connection: uploads.put_part(connection, upload, part))
        sent[number] = content

    @precondition(lambda self: self.uploads)
    @rule(pick=picks, complete=st.booleans())
    def end_upload(self, pick: int, complete: bool) -> None:
        upload, sent = self.uploads.pop(pick % len(self.uploads))
        if complete and sent:
            found = self.store.view(lambda connection: uploads.parts_of(connection, upload))
            body = self.store.bodies.concatenate(Extent(part.body, 0, part.size) for part in found)
            self.put_body(upload.key, body, b"".join(content for _, content in sorted(sent.items())), upload)
        else:
            self.store.change(lambda connection: uploads.remove(connection, upload))

    @rule()
    def bury(self) -> None:
        self.grow_old()
        self.store.bury()
        assert not self.store.view(lambda connection: connection.execute(select(dead_bodies)).all())

    @rule()
    def die_at_a_burial(self) -> None:
        """Struck off, and killed before the files went."""
        self.store.change(lambda connection: strike_off(connection, time.time() + 1, 1000))
        self.restart()

    @rule()
    def restart(self) -> None:
        self.store.close()
        self.store = open_at(self.directory)
        self.store.sweep()

    @invariant()
    def every_version_and_part_is_whole(self) -> None:
        for key, version_id, content in self.readable():
            found = self.store.view(lambda c, at=(key, version_id): versions.find(c, "data", *at))
            assert self.content(found.body) == content
        for key, stack in self.stacks.items():
            newest = self.store.view(lambda connection, key=key: versions.newest(connection, "data", key))
            assert (newest and newest.version_id) == (stack[-1][0] if stack else None)
        for upload, sent in self.uploads:
            found_parts = self.store.view(lambda connection, upload=upload: uploads.parts_of(connection, upload))
            assert {part.number: self.content(part.body) for part in found_parts} == sent

    def readable(self) -> list[tuple[bytes, str, bytes]]:
        every = ((key, *version) for key, stack in self.stacks.items() for version in stack)
        return [(key, version_id, content) for key, version_id, content in every if content is not None]

    def named(self) -> set[str]:
        queries = [select(table.c.body).where(table.c.body.is_not(None)) for table in (version_table, parts)]
        return set(self.store.view(lambda connection: connection.execute(union(*queries)).scalars().all()))

    def rows(self) -> set[str]:
        """Bodies in the catalogue."""
        found = self.store.view(lambda c: c.execute(select(small_bodies.c.id)).scalars().all())
        return {small.name_of(number) for number in found}

    def content(self, body: str | None) -> bytes:
        assert body is not None
        content = self.store.view(lambda connection: small.content_of(connection, body))
        return self.store.bodies.path(body).read_bytes() if content is None else content

    def body_of(self, content: bytes) -> str:
        incoming = self.store.bodies.start()
        incoming.write(content)
        return incoming.place()

    def put_body(self, key: bytes, body: str, content: bytes, upload: Upload | None = None) -> None:
        def change(connection: Connection) -> Version:
            bucket = buckets.find(connection, "data")
            version = versions.put(connection, bucket, key, Content(body, len(content), ""))
            if upload:
                uploads.remove(connection, upload)
            return version

        self.note(key, self.store.change(change, body), content)

    def copy_version(self, key: bytes, version_id: str, content: bytes, target: bytes) -> str:
        def change(connection: Connection) -> Version:
            source = versions.find(connection, "data", key, version_id)
            copied = Content(source.body, source.size, source.etag, {"Metadata": {"new": "one"}})
            return versions.put(connection, buckets.find(connection, "data"), target, copied)

        version = self.store.change(change)
        self.note(target, version, content)
        return version.version_id

    def remove(self, key: bytes, version_id: str | None) -> Version | None:
        return self.store.change(lambda c: versions.remove(c, buckets.find(c, "data"), key, version_id))

    def note(self, key: bytes, version: Version, content: bytes | None) -> None:
        self.forget(key, version.version_id)
        self.stacks[key].append((version.version_id, content))

    def forget(self, key: bytes, version_id: str) -> None:
        self.stacks[key] = [version for version in self.stacks[key] if version[0] != version_id]

    def grow_old(self) -> None:
        """Let the grace of the dead be over."""
        self.store.change(lambda connection: connection.execute(dead_bodies.update().values(since=0)))


TestHistories: Any = Histories.TestCase
TestHistories.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
