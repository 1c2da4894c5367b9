"""The index follows the records: through changes, deletions, crashes, and on databases that were there before it."""

import threading
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, delete, func, select

from clary.database import reading, writing
from clary.records.errors import Behind, InvalidToken
from clary.records.search import index as index_module
from clary.records.search.attributes import LONGEST, LONGEST_PATH, MOST
from clary.records.search.expression import EVERYTHING, Contain, Equal, Expression, Present, Within
from clary.records.search.index import SearchIndex
from clary.records.search.order import Order
from clary.records.search.page import Search
from clary.records.search.searchable import SEARCHABLE
from clary.records.store import Records
from clary.records.tables import (
    search_entities,
    search_fields,
    search_kinds,
    search_numbers,
    search_queue,
    search_texts,
)
from tests.records.search.zoo import ABROAD, HOME, ILL, LION, LIONS, add

BY_NAME = Order("Name", "texts", descending=False)


@pytest.fixture
def index(engine: Engine, records: Records) -> SearchIndex:
    assert records
    return SearchIndex(engine)


def _names(index: SearchIndex, asked: Expression = EVERYTHING, **more: Any) -> list[str]:
    found = index.search(Search(LIONS, HOME, asked, BY_NAME, **more))
    return [document["Name"] for document in found.documents]


def _rows(engine: Engine) -> int:
    """Of the whole index."""
    with reading(engine) as connection:
        return sum(
            connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (search_queue, search_entities, search_texts, search_numbers)
        )


def test_what_changes_is_found_as_it_is(records: Records, index: SearchIndex) -> None:
    leo = add(records, "leo", {"Weight": 100.0, "Home": "plain"}, {"team": "red"})
    assert _names(index, Equal("Tags.team", ("red",))) == ["leo"]
    leo = records.update(leo, {"Weight": 120.0})
    assert _names(index, Within("Weight", 110.0)) == ["leo"]
    assert _names(index, Within("Weight", high=110.0)) == []
    assert _names(index, Present("Home")) == []
    records.transition(leo, ILL)
    assert _names(index, Equal("Status", ("Ill",))) == ["leo"]
    records.add_tags(leo, {"team": "blue", "colour": "sand"})
    assert _names(index, Equal("Tags.team", ("blue",))) == ["leo"]
    records.remove_tags(leo, ["team"])
    assert _names(index, Present("Tags.team")) == []
    assert _names(index, Present("Tags.colour")) == ["leo"]


def test_what_is_written_in_one_transaction_is_found_together_or_not_at_all(
    records: Records, index: SearchIndex
) -> None:
    def fail() -> None:
        with records.together():
            add(records, "leo")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert _names(index) == []
    with records.together():
        add(records, "kim")
        add(records, "zoe")
    assert _names(index) == ["kim", "zoe"]


def test_a_deleted_record_leaves_nothing_in_the_index(engine: Engine, records: Records, index: SearchIndex) -> None:
    leo = add(records, "leo", {"Cubs": [{"Name": "a"}]}, {"team": "red"})
    unseen = add(records, "kim")
    records.delete(unseen)
    assert _names(index) == ["leo"]
    assert _rows(engine) > 0
    records.delete(leo)
    assert _names(index) == []
    assert _rows(engine) == 0


def test_records_that_were_there_before_the_index_are_found(
    engine: Engine, records: Records, index: SearchIndex
) -> None:
    """As after a migration, and as where a kind becomes searchable."""
    add(records, "leo")
    add(records, "kim", scope=ABROAD)
    with writing(engine) as connection:
        connection.execute(delete(search_queue))
    assert _names(index) == ["leo"]


def test_a_kind_that_is_declared_otherwise_is_indexed_anew(
    engine: Engine, records: Records, index: SearchIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(records, "leo", {"Weight": 1.0})
    assert _names(index, Present("Twice")) == []
    declared = replace(LIONS, describe=lambda record: {"Name": record.name, "Twice": 2.0}, revision=2)
    monkeypatch.setitem(SEARCHABLE, LION.name, declared)
    found = SearchIndex(engine).search(Search(declared, HOME, Present("Twice")))
    assert [document["Name"] for document in found.documents] == ["leo"]
    with reading(engine) as connection:
        revision = select(search_kinds.c.revision).where(search_kinds.c.kind == LION.name)
        assert connection.execute(revision).scalar_one() == declared.fingerprint


def test_a_record_that_cannot_be_described_stops_no_other(
    records: Records, index: SearchIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    def describe(record: Any) -> dict[str, Any]:
        if record.name == "sphinx":
            raise ValueError("no lion")
        return LIONS.describe(record)

    monkeypatch.setitem(SEARCHABLE, LION.name, replace(LIONS, describe=describe))
    add(records, "sphinx")
    add(records, "leo")
    assert _names(index) == ["leo"]


def test_what_the_index_holds_of_one_record_is_bounded(engine: Engine, records: Records, index: SearchIndex) -> None:
    long = "x" * LONGEST
    add(
        records,
        "leo",
        {
            "Story": f"{long}{'y' * 100_000}end",
            "Traits": {"a" * LONGEST_PATH: "1", "nul\0": "1"},
            "Stripes": {str(number): "s" for number in range(2 * MOST)},
        },
    )
    assert _names(index, Contain("Story", "yend")) == ["leo"]
    assert _names(index, Contain("Story", "nowhere")) == []
    assert _names(index, Equal("Story", (f"{long}z",))) == []
    with reading(engine) as connection:
        assert connection.execute(select(func.max(func.length(search_texts.c.value)))).scalar_one() == LONGEST
        assert connection.execute(select(func.count()).select_from(search_fields)).scalar_one() < MOST
    assert _rows(engine) < MOST + 2


def test_a_search_does_not_wait_for_ever(records: Records, index: SearchIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _names(index) == []
    add(records, "leo")
    monkeypatch.setattr(index_module, "PATIENCE", -1.0)
    with pytest.raises(Behind, match="1 changes"):
        index.search(Search(LIONS, HOME))


def test_many_who_search_while_many_write_see_what_they_wrote(engine: Engine, records: Records) -> None:
    """Two platforms fold one queue: each write is found by whoever searches after it."""
    indexes = [SearchIndex(engine), SearchIndex(engine)]
    missed: list[str] = []

    def work(number: int) -> None:
        for step in range(8):
            name = f"lion-{number}-{step}"
            lion = add(records, name)
            records.transition(lion, ILL)
            asked = Search(LIONS, HOME, Equal("Name", (name,)))
            found = indexes[number % 2].search(asked).documents
            if [document["Status"] for document in found] != ["Ill"]:
                missed.append(name)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not missed
    assert indexes[0].search(Search(LIONS, HOME, Equal("Status", ("Ill",)), max_results=100)).total == 48


@pytest.mark.parametrize("token", ["x", "e30=", "bnVsbA==", "W10=", "WzEsMl0=", "ünicode", "A" * 5000])
def test_what_is_no_token_is_refused(records: Records, index: SearchIndex, token: str) -> None:
    add(records, "leo")
    with pytest.raises(InvalidToken):
        index.search(Search(LIONS, HOME, next_token=token))


def test_a_token_is_good_for_its_search_only(records: Records, index: SearchIndex) -> None:
    for name in ("kim", "leo", "zoe"):
        add(records, name)
    search = Search(LIONS, HOME, Present("Name", "texts"), BY_NAME, max_results=1)
    token = index.search(search).next_token
    assert _names(index, search.expression, next_token=token, max_results=5) == ["leo", "zoe"]
    for other in (
        replace(search, scope=ABROAD),
        replace(search, expression=EVERYTHING),
        replace(search, order=replace(BY_NAME, descending=True)),
    ):
        with pytest.raises(InvalidToken):
            index.search(replace(other, next_token=token))


def test_what_comes_and_goes_between_pages_shifts_nothing(records: Records, index: SearchIndex) -> None:
    lions = {name: add(records, name) for name in ("b", "d", "f", "h")}
    search = Search(LIONS, HOME, EVERYTHING, BY_NAME, max_results=2)
    page = index.search(search)
    assert (page.total, page.is_exact) == (3, False)
    records.delete(lions["b"])
    add(records, "a")
    add(records, "e")
    rest = index.search(replace(search, next_token=page.next_token, max_results=9))
    assert [document["Name"] for document in rest.documents] == ["e", "f", "h"]
