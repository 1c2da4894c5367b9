"""Listings as range reads of an index: a page costs what it shows, not what it skips.

    keys   a   b/1  b/2 … b/999999   c          delimiter "/"
    page   a   b/ ─── seek past "b/" ──▶  c

Rows are read in windows. A window grows while its rows are shown; where a common prefix swallows the end of
one, the next begins behind that prefix, however many keys lie under it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Protocol, TypeVar

from sqlalchemy import ColumnElement, Connection, Table, false, or_, select

from clary.objects.tables import uploads, versions
from clary.objects.uploads import Upload
from clary.objects.versions import Version

FIRST_WINDOW = 16
"""Rows read after a jump, so that many common prefixes in a row cost few rows each."""


class Keyed(Protocol):
    @property
    def key(self) -> bytes: ...


Row = TypeVar("Row", bound=Keyed)


@dataclass(frozen=True)
class Source(Generic[Row]):
    """Rows in the order of their keys, then in their own."""

    table: Table
    make: Callable[..., Row]
    conditions: tuple[ColumnElement[bool], ...]
    order: tuple[ColumnElement[Any], ...]
    behind: Callable[[Row], ColumnElement[bool]]
    """What stands behind a row among those of the same key."""


OBJECTS: Source[Version] = Source(
    versions, Version, (versions.c.current.is_(True),), (versions.c.key,), lambda _: false()
)
VERSIONS: Source[Version] = Source(
    versions, Version, (), (versions.c.key, versions.c.id.desc()), lambda row: versions.c.id < row.id
)
UPLOADS: Source[Upload] = Source(
    uploads,
    Upload,
    (),
    (uploads.c.key, uploads.c.started, uploads.c.id),
    lambda row: or_(uploads.c.started > row.started, (uploads.c.started == row.started) & (uploads.c.id > row.id)),
)


@dataclass(frozen=True, slots=True)
class Query(Generic[Row]):
    bucket: str
    limit: int
    prefix: bytes = b""
    delimiter: bytes = b""
    after: bytes = b""
    """Exclusive: the last key or common prefix of the page before."""
    after_row: Row | None = None
    """With `after`: the last row of that key, where rows of the same key may follow."""
    again: bool = False
    """With `after`: begin with that key once more. The row to go on behind is gone, and its place with it."""

    def behind(self, row: Row | None) -> "Query[Row]":
        """From that row of the key `after` on."""
        return replace(self, after_row=row, again=row is None)


@dataclass(slots=True)
class Page(Generic[Row]):
    rows: list[Row] = field(default_factory=list)
    prefixes: list[bytes] = field(default_factory=list)
    truncated: bool = False
    last: bytes = b""
    """The greatest key or common prefix shown."""


def read_page(connection: Connection, source: Source[Row], query: Query[Row]) -> Page[Row]:
    page: Page[Row] = Page()
    if query.limit <= 0:
        return page
    start, behind = _beginning(source, query)
    window = FIRST_WINDOW if query.delimiter else query.limit + 1
    while True:
        rows = _read(connection, source, query, start, behind, window)
        rolled = b""
        for row in rows:
            rolled = _common_prefix(row.key, query)
            if rolled and rolled == page.last:
                continue
            if len(page.rows) + len(page.prefixes) == query.limit:
                page.truncated = True
                return page
            page.last = rolled or row.key
            if rolled:
                page.prefixes.append(rolled)
            else:
                page.rows.append(row)
        if len(rows) < window:
            return page
        if rolled:
            start, behind, window = past(rolled), None, FIRST_WINDOW
        else:
            start, behind, window = row.key, source.behind(row), min(2 * window, query.limit + 1)


def past(prefix: bytes) -> bytes:
    """The least bytes above all that begin with `prefix`, which is UTF-8 and so never ends in 0xFF."""
    return prefix[:-1] + bytes([prefix[-1] + 1])


def _beginning(source: Source[Row], query: Query[Row]) -> tuple[bytes, ColumnElement[bool] | None]:
    if query.after < query.prefix or not query.after:
        return query.prefix, None
    if query.after == _common_prefix(query.after, query):
        return past(query.after), None
    if query.again:
        return query.after, None
    return query.after, source.behind(query.after_row) if query.after_row else false()


def _common_prefix(key: bytes, query: Query[Row]) -> bytes:
    """What `key` is rolled up into; empty where it stands for itself."""
    if not query.delimiter:
        return b""
    at = key.find(query.delimiter, len(query.prefix))
    return key[: at + len(query.delimiter)] if at >= 0 else b""


def _read(
    connection: Connection,
    source: Source[Row],
    query: Query[Row],
    start: bytes,
    behind: ColumnElement[bool] | None,
    count: int,
) -> list[Row]:
    """Rows from `start` on; those of the key `start` itself only where they are `behind`, if that is given."""
    columns = source.table.c
    statement = select(source.table).where(columns.bucket == query.bucket, columns.key >= start, *source.conditions)
    if query.prefix:
        statement = statement.where(columns.key < past(query.prefix))
    if behind is not None:
        statement = statement.where(or_(columns.key > start, behind))
    rows = connection.execute(statement.order_by(*source.order).limit(count))
    return [source.make(*row) for row in rows]
