"""What is kept with buckets, in memory: every call asks for some of it, and it changes seldom.

    start ─▶ all of it        change of a bucket, committed ─▶ refresh(bucket)

Only one process has a store open, so what is read here is what is kept.
"""

import threading
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, select

from clary.objects.tables import bucket_documents

_Rows = dict[str, dict[str, Any]]
View = Callable[[Callable[[Connection], _Rows]], _Rows]


class Documents:
    """Safe to use from any thread. What `of` gives must not be changed."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._lock = threading.Lock()
        """Held from the read to its publication: a later read must not be overtaken by an earlier one."""
        self._behind: set[str] = set()
        """Buckets that changed and could not be read."""
        self._kept = view(_read)

    def of(self, bucket: str, kind: str) -> Any | None:
        if bucket in self._behind:
            self.refresh(bucket)
        kept = self._kept.get(bucket)
        return kept.get(kind) if kept else None

    def having(self, kind: str) -> dict[str, Any]:
        """The documents of that kind, by bucket."""
        return {bucket: kept[kind] for bucket, kept in list(self._kept.items()) if kind in kept}

    def refresh(self, bucket: str) -> None:
        """Read a bucket's anew, after the commit that changed them."""
        with self._lock:
            try:
                found = self._view(lambda connection: _read(connection, bucket))
            except BaseException:
                # What it says now may forbid what it did before: nobody is told the old.
                self._behind.add(bucket)
                raise
            self._behind.discard(bucket)
            if bucket in found:
                self._kept[bucket] = found[bucket]
            else:
                self._kept.pop(bucket, None)


def _read(connection: Connection, bucket: str | None = None) -> _Rows:
    columns = bucket_documents.c
    query = select(columns.bucket, columns.kind, columns.document)
    if bucket is not None:
        query = query.where(columns.bucket == bucket)
    found: _Rows = {}
    rows: Any = connection.execute(query)
    for name, kind, document in rows:
        found.setdefault(name, {})[kind] = document
    return found
