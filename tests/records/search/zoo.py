"""A searchable kind to test with, whose document is what it was created with."""

from typing import Any

from clary.records.record import Kind, Record, Scope, State
from clary.records.search.searchable import NamedList, Searchable, searchable
from clary.records.store import Records

HERE = State("Here")
ILL = State("Ill")
LION = Kind("lion", {HERE: frozenset({ILL}), ILL: frozenset({HERE})})
HOME = Scope("123456789012", "us-east-1")
ABROAD = Scope("123456789012", "eu-west-1")


def _describe(record: Record) -> dict[str, Any]:
    return {
        **record.document,
        "Name": record.name,
        "Status": record.state.status,
        "LastModifiedTime": record.modified,
    }


LIONS = searchable(
    Searchable(
        LION,
        "Lion",
        _describe,
        named=(NamedList("Metrics", "Measured", "MetricName", "Value"),),
        decimals=("Traits",),
    )
)


def add(
    records: Records,
    name: str,
    document: dict[str, Any] | None = None,
    tags: dict[str, str] | None = None,
    scope: Scope = HOME,
) -> Record:
    return records.create(LION, scope, name, f"arn:{scope.region}:{name}", document or {}, HERE, tags=tags)
