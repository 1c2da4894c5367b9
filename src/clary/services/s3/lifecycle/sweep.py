"""Acts on lifecycle rules: objects, versions, delete markers and uploads whose time has come go.

    each hour, for each bucket with rules:  load: a key with its versions ─▶ what is due ─▶ apply: if still the same

What is counted in days comes due at midnight, so an hour is soon enough; what a platform slept through is done at its
next start. What is locked stays.
"""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import groupby, islice, pairwise
from os.path import commonprefix
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection

from clary.objects import buckets, uploads, versions
from clary.objects.buckets import Bucket
from clary.objects.embedded import EmbeddedStore
from clary.objects.errors import StoreError
from clary.objects.listing import UPLOADS, VERSIONS, Keyed, Query, Source, read_page
from clary.objects.uploads import Upload
from clary.objects.versions import Version
from clary.services.s3.lifecycle import KIND
from clary.services.s3.lifecycle.due import Rules, abortion, active, expiry, noncurrent_expiry
from clary.services.s3.lifecycle.filters import filter_of

log = logging.getLogger(__name__)

EVERY = 3600.0
"""Seconds between sweeps."""
PAGE = 1000
AT_ONCE = 100
"""Removals in one transaction, which writers wait for."""

Row = TypeVar("Row", bound=Keyed)


class Removal(NamedTuple):
    """What is due, as it was when that was judged."""

    what: Version | Upload
    newest: bool = False
    """Of a version: whether nothing stands above it."""


def start(store: EmbeddedStore) -> None:
    """Sweep now and each hour, on a thread of its own."""
    threading.Thread(target=_keep_sweeping, args=(store,), name="lifecycle", daemon=True).start()


def _keep_sweeping(store: EmbeddedStore) -> None:
    while True:
        sweep(store, time.time())
        time.sleep(EVERY)


def sweep(store: EmbeddedStore, now: float) -> None:
    """What fails in one bucket keeps no other from its turn."""
    for bucket, document in store.documents.having(KIND).items():
        try:
            removed = _sweep_bucket(store, bucket, document, now)
        except Exception:
            log.exception("bucket %s: a sweep by its lifecycle rules failed and will be tried again", bucket)
            continue
        if removed:
            log.info("bucket %s: removed %d objects, versions and uploads by its lifecycle rules", bucket, removed)


def _sweep_bucket(store: EmbeddedStore, bucket: str, document: dict[str, Any], now: float) -> int:
    removed = 0
    due = _due(store, bucket, active(document), now)
    while removals := list(islice(due, AT_ONCE)):
        with suppress(StoreError):  # the bucket is gone
            removed += store.change(partial(_apply, store=store, document=document, name=bucket, removals=removals))
    return removed


def _due(store: EmbeddedStore, bucket: str, rules: Rules, now: float) -> Iterator[Removal]:
    if not rules:
        return
    prefixes = [filter_of(rule).prefix for rule in rules]
    prefix = commonprefix(prefixes).encode()  # noqa: RUF071 (keys are no paths)
    for _, stack in groupby(_rows(store, VERSIONS, bucket, prefix), key=lambda version: version.key):
        yield from _due_of_key(list(stack), rules, now)
    for upload in _rows(store, UPLOADS, bucket, prefix):
        due = abortion(rules, upload)
        if due and due.at <= now:
            yield Removal(upload)


def _due_of_key(stack: list[Version], rules: Rules, now: float) -> Iterator[Removal]:
    """`stack` is newest first. A delete marker expires only once it is all that is left."""
    newest = stack[0]
    due = expiry(rules, newest) if newest.body or len(stack) == 1 else None
    if due and due.at <= now:
        yield Removal(newest, newest=True)
    for newer, (above, version) in enumerate(pairwise(stack)):
        due = noncurrent_expiry(rules, version, above.modified, newer)
        if due and due.at <= now:
            yield Removal(version)


def _rows(store: EmbeddedStore, source: Source[Row], bucket: str, prefix: bytes) -> Iterator[Row]:
    query: Query[Row] = Query(bucket, PAGE, prefix=prefix)
    while True:
        page = store.view(partial(read_page, source=source, query=query))
        yield from page.rows
        if not page.truncated:
            return
        query = replace(query, after=page.last, after_row=page.rows[-1])


def _apply(
    connection: Connection, store: EmbeddedStore, document: dict[str, Any], name: str, removals: list[Removal]
) -> int:
    """How much was removed, under the rules by which it was judged."""
    bucket = buckets.find(connection, name)
    if store.documents.of(name, KIND) != document:
        return 0
    return sum(_remove(connection, bucket, removal) for removal in removals)


def _remove(connection: Connection, bucket: Bucket, removal: Removal) -> bool:
    what = removal.what
    if isinstance(what, Upload):
        found = uploads.look_up(connection, bucket.name, what.key, what.id)
        if found:
            uploads.remove(connection, found)
        return found is not None
    if versions.by_id(connection, bucket.name, what.key, what.version_id) != what:
        return False
    top = versions.newest(connection, bucket.name, what.key)
    if (top == what) != removal.newest:
        return False
    # An object goes as by DeleteObject: under a delete marker where the bucket keeps versions.
    version_id = None if removal.newest and what.body else what.version_id
    try:
        versions.remove(connection, bucket, what.key, version_id)
    except StoreError:
        return False  # it is locked
    return True
