"""Parents and their children: who is told of what, what a listing finds, what a deletion leaves."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Engine, event

from clary.records.agenda import Timer
from clary.records.errors import HasChildren, IllegalTransition, NotFound, Stale
from clary.records.query import Query, SortBy
from clary.records.record import NEVER, Kind, Record
from clary.records.store import Records
from tests.records.kinds import ABROAD, ASLEEP, AWAKE, CAT, GONE, HOME, add

HOUSE = Kind("house", {AWAKE: frozenset({GONE})}, live=frozenset({"Active"}))
Told = list[tuple[str, str, float | None]]


@pytest.fixture
def told(records: Records) -> Told:
    news: Told = []
    records.on_wake(lambda kind, record_id, at: news.append((kind, record_id, at)))
    return news


def house(records: Records, name: str = "house") -> Record:
    return records.create(HOUSE, HOME, name, f"arn:{name}", {}, AWAKE)


def cat(records: Records, name: str, parent: Record) -> Record:
    return records.create(CAT, HOME, name, f"arn:{name}", {}, ASLEEP, parent=parent.id)


def test_a_child_that_passes_the_gate_or_is_deleted_wakes_its_parent(records: Records, told: Told) -> None:
    home = house(records)
    tom = cat(records, "tom", home)
    assert (records.load(tom.id).parent, told) == (home.id, [])
    tom = records.update(records.transition(tom, AWAKE), {"Mood": "fine"})
    assert told == [("house", home.id, None)]
    records.delete(records.transition(tom, GONE))
    assert told == [("house", home.id, None)] * 3


def _write_in_vain(records: Records, tom: Record) -> None:
    with records.together():
        records.transition(records.load(tom.id), AWAKE)
        records.update(tom, {})


def test_what_was_not_written_wakes_nobody(records: Records, told: Told) -> None:
    tom = cat(records, "tom", house(records))
    with pytest.raises(IllegalTransition):
        records.transition(tom, GONE)
    records.update(tom, {})
    for change in (lambda: records.transition(tom, AWAKE, wake_at=9.0), lambda: records.delete(tom)):
        with pytest.raises(Stale):
            change()
    with pytest.raises(Stale):
        _write_in_vain(records, tom)
    assert told == []
    assert records.load(tom.id).state == ASLEEP


def test_the_parent_is_told_once_all_that_was_written_together_is_there(records: Records) -> None:
    home = house(records)
    tom, kit = cat(records, "tom", home), cat(records, "kit", home)
    seen: list[dict[str, int]] = []
    records.on_wake(lambda *_: seen.append(records.count_children(home, CAT)))
    with records.together():
        records.transition(tom, AWAKE)
        records.transition(kit, AWAKE)
        assert seen == []
        assert records.load(tom.id).state == AWAKE
    assert seen == [{"Active": 2}] * 2


def test_a_part_that_failed_leaves_the_rest_to_be_kept(records: Records) -> None:
    tom, kit = add(records, "tom"), add(records, "kit")
    stale = records.update(kit, {"Mood": "fine"})
    with records.together():
        records.transition(tom, AWAKE)
        with pytest.raises(Stale):
            records.transition(kit, AWAKE)
        records.transition(stale, AWAKE)
    assert (records.load(tom.id).state, records.load(kit.id).state) == (AWAKE, AWAKE)


def test_a_child_needs_a_parent_that_is_there(records: Records) -> None:
    home = house(records)
    records.delete(home)
    with pytest.raises(NotFound):
        cat(records, "tom", home)
    assert records.find(CAT, HOME, "tom") is None


def test_children_are_listed_by_state_and_page_and_counted(records: Records) -> None:
    home, other = house(records), house(records, "other")
    for number in range(230):
        tom = cat(records, f"{number:03d}", home)
        if number % 2:
            records.transition(tom, AWAKE)
    cat(records, "stranger", other)
    assert records.count_children(home, CAT) == {"Resting": 115, "Active": 115}
    assert records.count_children(home, HOUSE) == {}
    assert [child.name for child in records.children(home, CAT)] == [f"{number:03d}" for number in range(230)]
    assert len(list(records.children(home, CAT, "Active"))) == 115
    page = records.list(CAT, HOME, Query(parent=home.id, status="Active", sort_by="Name", max_results=100))
    rest = records.list(
        CAT,
        HOME,
        Query(parent=home.id, status="Active", sort_by="Name", max_results=100, next_token=page.next_token),
    )
    assert [child.name for child in page.records + rest.records] == [f"{number:03d}" for number in range(1, 230, 2)]
    assert rest.next_token == ""


def test_a_parent_goes_once_no_child_is_live_and_leaves_them_without_one(records: Records, told: Told) -> None:
    home = house(records)
    tom, kit = cat(records, "tom", home), cat(records, "kit", home)
    with pytest.raises(HasChildren, match="house house has a cat that is Resting"):
        records.delete(home)
    assert records.load(home.id) == home
    records.transition(records.transition(tom, AWAKE), GONE)
    records.delete(kit)
    records.delete(home)
    left = records.load(tom.id)
    assert (left.parent, left.state) == (None, GONE)
    told.clear()
    records.delete(left)
    assert told == []


def test_of_a_new_child_and_the_deletion_of_its_parent_one_comes_first(records: Records) -> None:
    """Never a child whose parent is not there."""

    def bear(home: Record) -> bool:
        try:
            return cat(records, f"of-{home.name}", home).parent == home.id
        except NotFound:
            return False

    def leave(home: Record) -> bool:
        try:
            records.delete(home)
        except HasChildren:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        for number in range(20):
            home = house(records, f"house-{number}")
            born, left = pool.submit(bear, home), pool.submit(leave, home)
            assert born.result() != left.result()


def test_a_timer_is_kept_with_what_is_written_and_told(records: Records, told: Told) -> None:
    tom = records.create(CAT, HOME, "tom", "arn:tom", {}, ASLEEP, wake_at=10.0)
    assert records.load(tom.id).wake_at == tom.wake_at == 10.0
    awake = records.transition(tom, AWAKE, wake_at=20.5)
    assert records.load(tom.id) == awake
    assert records.load(records.update(awake, {}).id).wake_at == 20.5
    records.update(records.load(tom.id), {}, wake_at=NEVER)
    assert records.load(tom.id).wake_at is None
    assert told == [("cat", tom.id, 10.0), ("cat", tom.id, 20.5), ("cat", tom.id, NEVER)]


def test_timers_are_found_when_they_fall_due_and_settled_once(records: Records) -> None:
    cats = [
        records.create(CAT, HOME if at % 2 else ABROAD, str(at), str(at), {}, GONE, wake_at=float(at))
        for at in (3, 1, 2, 9)
    ]
    house(records)
    agenda = records.agenda
    assert [timer.wake_at for timer in agenda.due(3.0, None, 10)] == [1.0, 2.0, 3.0]
    first = agenda.due(3.0, None, 1)
    assert [timer.wake_at for timer in agenda.due(3.0, first[0], 10)] == [2.0, 3.0]
    agenda.settle(first[0].id, 5.0)
    assert agenda.due(3.0, None, 1) == first
    agenda.settle(first[0].id, 1.0)
    assert [timer.wake_at for timer in agenda.due(3.0, None, 10)] == [2.0, 3.0]
    assert records.load(cats[1].id).wake_at is None


def test_live_ids_come_in_pages_the_latest_first(records: Records) -> None:
    cats = [add(records, str(number), ABROAD if number % 2 else HOME) for number in range(7)]
    records.transition(records.transition(cats[3], AWAKE), GONE)
    records.transition(cats[2], AWAKE)
    seen: list[str] = []
    after = None
    while True:
        page = records.agenda.live_ids(CAT, after, 2)
        seen += page.ids
        after = page.last
        if after is None:
            break
    by_age = sorted((records.load(tom.id) for tom in cats), key=lambda tom: (tom.modified, tom.id), reverse=True)
    assert seen == [tom.id for tom in by_age if tom.state != GONE]
    assert records.agenda.live_ids(Kind("stone"), None, 2).ids == []
    assert records.agenda.live_kinds([tom.id for tom in cats]) == dict.fromkeys(seen, "cat")


@pytest.mark.parametrize("sort_by", ["Name", "CreationTime", "LastModifiedTime", "Status"])
def test_children_live_records_and_timers_are_found_by_their_indexes(
    engine: Engine, records: Records, sort_by: SortBy
) -> None:
    if engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL plans by how many rows there are")
    home = house(records)
    cat(records, "tom", home)
    plans: list[str] = []

    @event.listens_for(engine, "before_cursor_execute")
    def explain(_connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("SELECT"):
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans.append(str(cursor.fetchall()))

    records.list(CAT, HOME, Query(parent=home.id, sort_by=sort_by, name_contains="o"))
    list(records.children(home, CAT, "Resting"))
    records.count_children(home, CAT)
    assert [plan.count("records_by_parent (parent=? AND kind=?") for plan in plans] == [1, 1, 1]
    plans.clear()
    page = records.agenda.live_ids(CAT, None, 1)
    records.agenda.live_ids(CAT, page.last, 1)
    assert [plan.count("COVERING INDEX records_by_activity (kind=? AND status=?") for plan in plans] == [2, 2]
    plans.clear()
    timer = Timer(1.0, "x", "cat")
    records.agenda.due(10.0, None, 1)
    records.agenda.due(10.0, timer, 1)
    assert ["COVERING INDEX records_by_timer" in plan and "TEMP B-TREE" not in plan for plan in plans] == [True, True]
