"""Any filter on any records answers what looking through all of them would, whole and page by page."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from clary.records.record import Scope
from clary.records.search import candidates
from clary.records.search.attributes import LONGEST
from clary.records.search.expression import (
    EVERYTHING,
    AllOf,
    AnyOf,
    Contain,
    Equal,
    Expression,
    Not,
    Present,
    Together,
    Within,
)
from clary.records.search.index import SearchIndex
from clary.records.search.order import BY_CHANGE, Order
from clary.records.search.page import Results, Search
from clary.records.store import Records
from tests.records.search.oracle import searched
from tests.records.search.zoo import HOME, LIONS, add

WORDS = ["a", "b", "ab", "10", "0.5", "-3", "x" * LONGEST, "x" * LONGEST + "y", "x" * LONGEST + "z", "Ä%_\0", ""]
NUMBERS = [-1.0, 0.0, 0.5, 1.0, 2.0, 1e300]
tags = st.sampled_from([word for word in WORDS if "\0" not in word])
texts, numbers = st.sampled_from(WORDS), st.sampled_from(NUMBERS)
TEXT_PATHS = ["Kind", "Traits.mane", "Traits.tail", "Cubs.Name", "Cubs.Toys.Colour", "Den.Name", "Tags.team", "Never"]
NUMBER_PATHS = ["Weight", "Traits.mane", "Cubs.Age", "Cubs.Toys.Size", "Metrics.roar"]


def _some(**members: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Each member is there or not."""
    return st.fixed_dictionaries({}, optional=members)


toys = st.lists(_some(Colour=texts, Size=numbers), max_size=2)
documents = _some(
    Kind=texts,
    Weight=numbers,
    Tame=st.booleans(),
    Traits=_some(mane=texts, tail=texts),
    Cubs=st.lists(_some(Name=texts, Age=numbers, Toys=toys), max_size=3),
    Den=_some(Name=texts),
    Measured=st.lists(st.fixed_dictionaries({"MetricName": st.just("roar"), "Value": numbers}), max_size=1),
)
animals = st.lists(st.tuples(documents, _some(team=tags)), max_size=10)

bounds = st.one_of(st.none(), numbers)


def _tests(text_paths: list[str], number_paths: list[str]) -> st.SearchStrategy[Expression]:
    text_path, number_path = st.sampled_from(text_paths), st.sampled_from(number_paths)
    return st.one_of(
        st.builds(Equal, text_path, st.lists(texts, min_size=1, max_size=2).map(tuple)),
        st.builds(Contain, text_path, st.sampled_from(["a", "0", "x" * LONGEST + "y", "_\0", "xx"])),
        st.builds(Within, number_path, bounds, bounds, st.booleans(), st.booleans()),
        st.builds(Present, st.sampled_from([*text_paths, *number_paths])),
    )


def _negated(tests: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    return st.one_of(tests, tests.map(Not))


CUBS = _negated(_tests(["Cubs.Name", "Cubs.Toys.Colour"], ["Cubs.Age", "Cubs.Toys.Size"]))
TOYS = _negated(_tests(["Cubs.Toys.Colour"], ["Cubs.Toys.Size"]))
filters = st.one_of(
    _negated(st.one_of(_tests(TEXT_PATHS, NUMBER_PATHS), st.builds(Present, st.sampled_from(["Cubs.", "Traits."])))),
    st.builds(Together, st.just("Cubs"), st.just(1), st.lists(CUBS, min_size=1, max_size=3).map(tuple)),
    st.builds(Together, st.just("Cubs.Toys"), st.just(2), st.lists(TOYS, min_size=1, max_size=2).map(tuple)),
)
expressions = st.recursive(
    filters,
    lambda parts: st.builds(
        lambda kind, some: kind(tuple(some)), st.sampled_from([AllOf, AnyOf]), st.lists(parts, min_size=1, max_size=3)
    ),
    max_leaves=6,
)
orders = st.one_of(
    st.builds(Order, descending=st.booleans()),
    st.builds(Order, st.sampled_from(["Kind", "Den.Name", "Never"]), st.just("texts"), st.booleans()),
    st.builds(Order, st.sampled_from(["Weight"]), st.just("numbers"), st.booleans()),
    st.builds(Order, st.sampled_from(["Traits.mane"]), st.just("both"), st.booleans()),
    st.builds(Order, st.just("Cubs.Name"), st.just("texts"), st.booleans(), st.just(True)),
    st.builds(Order, st.just("Cubs.Age"), st.just("numbers"), st.booleans(), st.just(True)),
)


@pytest.fixture
def index(engine: Engine, records: Records) -> SearchIndex:
    assert records
    return SearchIndex(engine)


def _pages(index: SearchIndex, search: Search) -> Iterator[Results]:
    while True:
        page = index.search(search)
        yield page
        if not page.next_token:
            return
        search = replace(search, next_token=page.next_token)


def _names(index: SearchIndex, asked: Expression = EVERYTHING, order: Order = BY_CHANGE, **more: Any) -> list[str]:
    found = index.search(Search(LIONS, HOME, asked, order, **more))
    return [document["Name"] for document in found.documents]


def _fitted(value: Any) -> Any:
    """Texts as they are sorted: by their beginning."""
    if isinstance(value, dict):
        return {name: _fitted(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_fitted(item) for item in value]
    return value[:LONGEST].replace("\0", "\ufffd") if isinstance(value, str) else value


@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(
    pride=animals, asked=expressions, order=orders, size=st.integers(1, 4), gather=st.booleans(), step=st.integers(1, 4)
)
def test_a_search_finds_what_a_look_at_every_record_would(
    records: Records,
    index: SearchIndex,
    pride: list[tuple[dict[str, Any], dict[str, str]]],
    asked: Expression,
    order: Order,
    size: int,
    gather: bool,
    step: int,
) -> None:
    """Many records are of one moment; a walk is of short stretches, and gathers at once, never or when it is told."""
    scope = Scope(HOME.account, f"region-{next(_regions)}")
    described: dict[str, Any] = {}
    ticks = itertools.count()
    with patch("time.time", lambda: float(next(ticks) // 12)):
        for number, (document, labels) in enumerate(pride):
            record = add(records, f"lion-{number}", document, labels, scope)
            metrics = {found["MetricName"]: found["Value"] for found in document.get("Measured", [])}
            described[record.name] = {
                **document,
                "Tags": labels,
                "Metrics": metrics,
                "LastModifiedTime": record.modified,
            }
    matching = set(searched(described, asked, order))
    wanted = [name for name in searched(_fitted(described), EVERYTHING, order) if name in matching]
    with patch.multiple(candidates, FEW=1000 if gather else 0, FIRST_STRETCH=step, LONGEST_STRETCH=step + 2):
        pages = list(_pages(index, Search(LIONS, scope, asked, order, size)))
    found = [document["Name"] for page in pages for document in page.documents]
    assert found == wanted
    assert all(len(page.documents) == size for page in pages[:-1])
    assert all(page.total == len(wanted) if page.is_exact else page.total <= len(wanted) for page in pages)
    assert pages[-1].is_exact


_regions = itertools.count()
