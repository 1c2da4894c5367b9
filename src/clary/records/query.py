"""One page of a listing: filters, an order, and where the page before it ended.

A page begins after the sort key of the last record that was seen, not after a count of records: what is
created or deleted meanwhile shifts nothing, and the hundred thousandth page costs what the first does.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import astuple, dataclass, replace
from hashlib import blake2b
from typing import Any, Literal, NamedTuple

import orjson
from sqlalchemy import JSON, ColumnElement, Row, Select, Text, cast, func, select, tuple_

from clary.records.errors import InvalidToken
from clary.records.record import Record, Scope
from clary.records.tables import records

SortBy = Literal["Name", "CreationTime", "LastModifiedTime", "Status"]

_JSON = JSON().with_variant(Text(), "sqlite")  # to SQLite, JSON is text; a cast to another type would make it a number

# `id` settles the order of records that are otherwise equal.
_SORT_KEYS: dict[SortBy, tuple[str, ...]] = {
    "Name": ("name",),
    "CreationTime": ("created", "id"),
    "LastModifiedTime": ("modified", "id"),
    "Status": ("status", "created", "id"),
}


@dataclass(frozen=True, slots=True)
class Query:
    """Which records of a kind, in which order. Times are exclusive bounds, but for `created_after` of a listing that is
    `from_inclusive`; empty or None filters nothing."""

    name_contains: str = ""
    created_after: float | None = None
    from_inclusive: bool = False
    created_before: float | None = None
    modified_after: float | None = None
    modified_before: float | None = None
    status: str = ""
    parent: str = ""
    """The id of a record: its children only."""
    members: tuple[tuple[str, str | None], ...] = ()
    """Texts that the document must have as these members, `A.B` for one within another; None for a member that it must
    not have."""
    sort_by: SortBy = "CreationTime"
    descending: bool = False
    max_results: int = 10
    next_token: str = ""


class Page(NamedTuple):
    records: list[Record]
    next_token: str
    """Of the page after this; empty on the last."""


def page_statement(kind: str, scope: Scope, query: Query) -> Select[Any]:
    """Selects one record more than the page holds, by which one knows whether there is another page."""
    columns = records.c
    statement = select(records).where(columns.kind == kind, *_filters(query))
    if query.parent:
        # They are of its account and region, which asked for besides would lead SQLite to an index of all records.
        statement = statement.where(columns.parent == query.parent)
    else:
        statement = statement.where(columns.account == scope.account, columns.region == scope.region)
    keys = [columns[key] for key in _SORT_KEYS[query.sort_by]]
    if query.next_token:
        last = tuple_(*_read_token(kind, scope, query))
        statement = statement.where(tuple_(*keys) < last if query.descending else tuple_(*keys) > last)
    return statement.order_by(*(key.desc() if query.descending else key for key in keys)).limit(query.max_results + 1)


def token_after(kind: str, scope: Scope, query: Query, row: Row[Any]) -> str:
    """The token of the page that begins after `row`."""
    last = [getattr(row, key) for key in _SORT_KEYS[query.sort_by]]
    return urlsafe_b64encode(orjson.dumps([_fingerprint(kind, scope, query), last])).decode()


def _filters(query: Query) -> list[ColumnElement[bool]]:
    columns = records.c
    found: list[ColumnElement[bool]] = []
    if query.name_contains:
        # LIKE ignores case on SQLite and has its own wildcards: this does not, on any database.
        found.append(func.replace(columns.name, query.name_contains, "") != columns.name)
    if query.status:
        found.append(columns.status == query.status)
    found += [_member(name).is_not_distinct_from(value) for name, value in query.members]
    for column, after, before, inclusive in (
        (columns.created, query.created_after, query.created_before, query.from_inclusive),
        (columns.modified, query.modified_after, query.modified_before, False),
    ):
        if after is not None:
            found.append(column >= after if inclusive else column > after)
        if before is not None:
            found.append(column < before)
    return found


def _member(name: str) -> ColumnElement[Any]:
    """A text of the document, null where it has none by that name."""
    text: ColumnElement[Any] = cast(records.c.document, _JSON)[tuple(name.split("."))].as_string()
    return text


def _read_token(kind: str, scope: Scope, query: Query) -> list[Any]:
    try:
        fingerprint, last = orjson.loads(urlsafe_b64decode(query.next_token))
    except (ValueError, TypeError):
        raise InvalidToken(query.next_token) from None
    if fingerprint != _fingerprint(kind, scope, query) or not _is_sort_key(last, query.sort_by):
        raise InvalidToken(query.next_token)
    values: list[Any] = last
    return values


def _is_sort_key(values: Any, sort_by: SortBy) -> bool:
    """A token is the client's to forge: what it holds must at least be what the columns hold."""
    keys = _SORT_KEYS[sort_by]
    return (
        isinstance(values, list)
        and len(values) == len(keys)
        and all(isinstance(value, records.c[key].type.python_type) for key, value in zip(keys, values, strict=True))
    )


def _fingerprint(kind: str, scope: Scope, query: Query) -> str:
    """Binds a token to its listing; the size of a page may change on the way."""
    listing = [kind, *scope, astuple(replace(query, max_results=0, next_token=""))]
    return blake2b(orjson.dumps(listing), digest_size=9).hexdigest()
