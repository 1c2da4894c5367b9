"""One page of a search: positions become records, each tested as it is now, until the page is full.

A token is the position of the last record on its page: the thousandth page costs what the first does.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, select

from clary.records.errors import InvalidToken
from clary.records.record import Event, Record, Scope, State
from clary.records.rows import to_record
from clary.records.search.attributes import attributes
from clary.records.search.candidates import Candidates
from clary.records.search.expression import EVERYTHING, Expression, View
from clary.records.search.fields import Fields, realm_of
from clary.records.search.fold import tags_of
from clary.records.search.order import BY_CHANGE, NUMBERS, Order, Position, phases
from clary.records.search.searchable import Document, Searchable
from clary.records.tables import events, records, search_entities


@dataclass(frozen=True)
class Search:
    """What is searched for: `attributes` tells what paths look like."""

    declared: Searchable
    scope: Scope
    expression: Expression = EVERYTHING
    order: Order = BY_CHANGE
    max_results: int = 10
    next_token: str = ""


class Results(NamedTuple):
    documents: list[Document]
    next_token: str
    """Of the page after this; empty on the last."""
    total: int
    """On all pages, or the most that is known of."""
    is_exact: bool


class _Found(NamedTuple):
    position: Position
    record: Record
    labels: dict[str, str]


def find(connection: Connection, search: Search) -> Results:
    """Raises `InvalidToken`."""
    after, seen = _read_token(search)
    fields = Fields(connection, realm_of(search.declared.kind.name, search.scope))
    wanted = search.max_results + 1
    candidates = Candidates(connection, fields, search.expression, search.order, after, wanted)
    positions = iter(candidates)
    found: list[_Found] = []
    while len(found) < wanted and (batch := list(islice(positions, wanted - len(found)))):
        found += _fulfilling(connection, search, batch)
    page, more = found[: search.max_results], len(found) == wanted
    seen += len(page)
    token = _token(search, page[-1].position, seen) if more else ""
    documents = _documents(connection, search.declared, page)
    if not more or candidates.total is None:
        return Results(documents, token, seen + more, not more)
    return Results(documents, token, candidates.total, True)


def _fulfilling(connection: Connection, search: Search, positions: list[Position]) -> list[_Found]:
    """The index knows the beginning of a text, and a record may have changed since it was folded."""
    entities = [position.entity for position in positions]
    statement = select(records, search_entities.c.id.label("entity")).join(
        search_entities, search_entities.c.record == records.c.id
    )
    rows = connection.execute(statement.where(search_entities.c.id.in_(entities)))
    loaded = {row.entity: to_record(row) for row in rows}
    labels = tags_of(connection, [record.id for record in loaded.values()])
    found = []
    for position in positions:
        record = loaded.get(position.entity)
        if record is None:
            continue
        one = _Found(position, record, labels.get(record.id, {}))
        if search.expression.holds(View(attributes(search.declared, record, one.labels))):
            found.append(one)
    return found


def _documents(connection: Connection, declared: Searchable, page: Sequence[_Found]) -> list[Document]:
    passed = _events_of(connection, [found.record.id for found in page]) if declared.passages else {}
    documents = []
    for _, record, labels in page:
        document = declared.describe(record)
        document |= {member: told(record, passed[record.id]) for member, told in declared.passages.items()}
        document["Tags"] = [{"Key": key, "Value": value} for key, value in labels.items()]
        documents.append({declared.within: document} if declared.within else document)
    return documents


def _events_of(connection: Connection, ids: list[str]) -> dict[str, list[Event]]:
    found: dict[str, list[Event]] = {record: [] for record in ids}
    for row in connection.execute(select(events).where(events.c.record.in_(ids)).order_by(events.c.id)):
        found[row.record].append(Event(row.at, State(row.status, row.secondary), row.message))
    return found


def _token(search: Search, last: Position, seen: int) -> str:
    return urlsafe_b64encode(orjson.dumps([_fingerprint(search), list(last), seen])).decode()


def _read_token(search: Search) -> tuple[Position | None, int]:
    """The position that the page begins behind, and how many records there were on the pages before."""
    if not search.next_token:
        return None, 0
    try:
        fingerprint, last, seen = orjson.loads(urlsafe_b64decode(search.next_token))
        position = Position(*last)
    except (ValueError, TypeError):
        raise InvalidToken(search.next_token) from None
    if fingerprint != _fingerprint(search) or not _is_position(position, search.order) or not isinstance(seen, int):
        raise InvalidToken(search.next_token)
    return position, seen


def _is_position(position: Position, order: Order) -> bool:
    """A token is the client's to forge: what it holds must at least be what the index holds."""
    of_value: Any = str if position.phase != NUMBERS and position.phase in phases(order)[:-1] else float
    return position.phase in phases(order) and isinstance(position.value, of_value) and type(position.entity) is int


def _fingerprint(search: Search) -> str:
    """Binds a token to its search; the size of a page may change on the way."""
    asked = (search.declared.kind.name, search.scope, search.expression, search.order)
    return blake2b(repr(asked).encode(), digest_size=9).hexdigest()
