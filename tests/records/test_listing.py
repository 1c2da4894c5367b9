"""Listings: their filters and orders, and pages that stay true while records come, change and go."""

import itertools
import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from clary.database import open_database, reading
from clary.records.errors import InvalidToken
from clary.records.query import Query, SortBy, page_statement
from clary.records.record import Record, Scope, State
from clary.records.store import Records
from tests.records.kinds import ABROAD, ASLEEP, AWAKE, CAT, GONE, HOME, add

SORTS: list[SortBy] = ["Name", "CreationTime", "LastModifiedTime", "Status"]
SORT_KEYS: dict[SortBy, Any] = {
    "Name": lambda record: record.name,
    "CreationTime": lambda record: record.created,
    "LastModifiedTime": lambda record: record.modified,
    "Status": lambda record: record.state.status,
}


def _names(records: Records, scope: Scope = HOME, **query: Any) -> list[str]:
    return [record.name for record in records.list(CAT, scope, Query(**query)).records]


def _pages(records: Records, query: Query, scope: Scope = HOME) -> Iterator[list[Record]]:
    while True:
        page = records.list(CAT, scope, query)
        yield page.records
        if not page.next_token:
            return
        query = replace(query, next_token=page.next_token)


@pytest.fixture
def clowder(records: Records) -> dict[str, Record]:
    """Five cats, created one second after the other; the second and fourth were woken later."""
    seconds = itertools.count(1000)
    with patch("time.time", lambda: float(next(seconds))):
        cats = {name: add(records, name) for name in ("tom", "Kit", "kitty", "puss", "a%_b")}
        for name in ("Kit", "puss"):
            cats[name] = records.transition(cats[name], AWAKE, at=1.0)
    return cats


def test_members_of_the_document_are_filters(records: Records) -> None:
    for name, document in {"tom": {"Coat": "black"}, "kit": {"Coat": "white"}, "puss": {}, "odd": {"Coat": 7}}.items():
        records.update(add(records, name), document)
    assert _names(records, members=(("Coat", "black"),)) == ["tom"]
    assert _names(records, members=(("Coat", "black"), ("Coat", "white"))) == []
    assert _names(records, members=(("Coat", None),)) == ["puss"]
    assert _names(records, members=(('"] or 1=1', "x"),)) == []


def test_a_listing_is_in_the_order_asked_for(records: Records, clowder: dict[str, Record]) -> None:
    by_creation = list(clowder)
    assert _names(records) == by_creation
    assert _names(records, descending=True) == by_creation[::-1]
    assert _names(records, sort_by="Name") == ["Kit", "a%_b", "kitty", "puss", "tom"]
    assert _names(records, sort_by="LastModifiedTime") == ["tom", "kitty", "a%_b", "Kit", "puss"]
    assert _names(records, sort_by="Status") == ["Kit", "puss", "tom", "kitty", "a%_b"]


@pytest.mark.usefixtures("clowder")
def test_a_name_filter_knows_case_and_no_wildcards(records: Records) -> None:
    assert _names(records, name_contains="it") == ["Kit", "kitty"]
    assert _names(records, name_contains="kit") == ["kitty"]
    assert _names(records, name_contains="%") == ["a%_b"]
    assert _names(records, name_contains="_") == ["a%_b"]


def test_filters_are_exclusive_bounds_and_hold_together(records: Records, clowder: dict[str, Record]) -> None:
    first, last = clowder["tom"], clowder["a%_b"]
    between: dict[str, Any] = {"created_after": first.created, "created_before": last.created}
    assert _names(records, **between) == ["Kit", "kitty", "puss"]
    assert _names(records, **between, status="Active") == ["Kit", "puss"]
    assert _names(records, modified_after=clowder["Kit"].modified) == ["puss"]
    assert _names(records, modified_before=clowder["Kit"].modified) == ["tom", "kitty", "a%_b"]
    assert _names(records, status="Nothing") == []


@pytest.mark.usefixtures("clowder")
def test_regions_do_not_see_each_other(records: Records) -> None:
    add(records, "stray", ABROAD)
    assert _names(records, ABROAD) == ["stray"]
    assert len(_names(records)) == 5


@pytest.mark.usefixtures("clowder")
def test_the_last_page_has_no_token_even_where_it_is_full(records: Records) -> None:
    assert records.list(CAT, HOME, Query(max_results=5)).next_token == ""
    assert [len(page) for page in _pages(records, Query(max_results=2))] == [2, 2, 1]


@pytest.mark.usefixtures("clowder")
def test_a_token_is_good_for_its_listing_only(records: Records) -> None:
    token = records.list(CAT, HOME, Query(max_results=2)).next_token
    assert len(_names(records, max_results=3, next_token=token)) == 3
    others: list[dict[str, Any]] = [{"descending": True}, {"sort_by": "Name"}, {"name_contains": "t"}]
    for other in others:
        with pytest.raises(InvalidToken):
            records.list(CAT, HOME, Query(next_token=token, **other))
    with pytest.raises(InvalidToken):
        records.list(CAT, ABROAD, Query(next_token=token))


@pytest.mark.usefixtures("clowder")
@pytest.mark.parametrize("token", ["x", "e30=", "bnVsbA==", "W10=", "WzEsMl0=", "ünicode", "A" * 5000])
def test_what_is_no_token_is_refused(records: Records, token: str) -> None:
    with pytest.raises(InvalidToken):
        records.list(CAT, HOME, Query(next_token=token))


@pytest.fixture(scope="module")
def many_regions(tmp_path_factory: pytest.TempPathFactory) -> Records:
    return Records(open_database(f"sqlite:///{tmp_path_factory.mktemp('listing') / 'clary.db'}"))


STATES = st.sampled_from([ASLEEP, AWAKE, GONE])


@settings(max_examples=60, deadline=None)
@given(
    first=st.lists(STATES, min_size=1, max_size=12),
    between=st.lists(st.tuples(st.lists(STATES, max_size=2), st.booleans()), max_size=8),
    query=st.builds(
        Query,
        sort_by=st.sampled_from(SORTS),
        descending=st.booleans(),
        max_results=st.integers(1, 4),
        status=st.sampled_from(["", "Active"]),
    ),
)
def test_every_record_that_stays_is_listed_once_and_in_order(
    many_regions: Records, first: list[State], between: list[tuple[list[State], bool]], query: Query
) -> None:
    """Between the pages records are created, and one of the first is deleted; many are of the same moment."""
    records, scope = many_regions, Scope("123456789012", uuid.uuid4().hex)
    name = (f"{prefix}-{number}" for number in itertools.count() for prefix in "bac")
    ticks = itertools.count()
    with patch("time.time", lambda: float(next(ticks) // 4)):
        there = [add(records, next(name), scope, state) for state in first]
        seen: list[Record] = []
        changes = itertools.chain(between, itertools.repeat(([], False)))
        for page, (new, delete) in zip(_pages(records, query, scope), changes, strict=False):
            assert len(page) <= query.max_results
            seen += page
            for state in new:
                add(records, next(name), scope, state)
            if there and delete:
                records.delete(there.pop())
    assert len({record.id for record in seen}) == len(seen)
    wanted = {record.id for record in there if query.status in ("", record.state.status)}
    assert wanted <= {record.id for record in seen}
    keys = [SORT_KEYS[query.sort_by](record) for record in seen]
    assert keys == sorted(keys, reverse=query.descending)


@pytest.mark.parametrize("sort_by", SORTS)
@pytest.mark.parametrize("filters", [{}, {"name_contains": "t"}], ids=str)
def test_a_page_is_a_walk_along_an_index(
    engine: Engine, records: Records, sort_by: SortBy, filters: dict[str, Any]
) -> None:
    """No order is made by sorting all that there is, whether on the first page or a later one."""
    if engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL plans by how many rows there are: sorting three is right")
    for name in ("tom", "kit", "puss"):
        add(records, name, state=AWAKE)
    query = Query(sort_by=sort_by, max_results=1, **filters)
    token = records.list(CAT, HOME, query).next_token
    for step in (query, replace(query, next_token=token)):
        statement = page_statement(CAT.name, HOME, step).compile(engine, compile_kwargs={"literal_binds": True})
        with reading(engine) as connection:
            plan = str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}").all())
        assert "TEMP B-TREE" not in plan
        assert "USING INDEX" in plan
