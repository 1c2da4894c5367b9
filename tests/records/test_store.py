"""What a record goes through: creation, guarded changes, the gate, tags, deletion."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from clary.records.errors import AlreadyExists, IllegalTransition, NotFound, Stale, TooManyTags
from clary.records.record import Kind
from clary.records.store import Records
from tests.records.kinds import ABROAD, ASLEEP, AWAKE, CAT, GONE, HOME, add


def test_a_record_reads_back_as_it_was_created(records: Records) -> None:
    document: dict[str, Any] = {"Weight": 4.5, "Toys": [{"Name": "Maus 🐭"}], "Chip": None}
    created = records.create(CAT, HOME, "tom", "arn:tom", document, ASLEEP, tags={"colour": "grey"}, message="Hi")
    assert records.get(CAT, HOME, "tom") == created
    assert records.load(created.id) == created
    assert records.by_arn("arn:tom") == created
    assert created.document == document
    assert created.created == created.modified
    assert records.tags(created) == {"colour": "grey"}
    assert [(event.state, event.message) for event in records.events(created)] == [(ASLEEP, "Hi")]


def test_a_name_is_taken_once_in_each_kind_account_and_region(records: Records) -> None:
    add(records, "tom")
    with pytest.raises(AlreadyExists):
        add(records, "tom")
    add(records, "tom", ABROAD)
    records.create(Kind("dog"), HOME, "tom", "arn:dog", {}, ASLEEP)


def test_what_is_not_there(records: Records) -> None:
    tom = add(records, "tom")
    assert records.find(CAT, ABROAD, "tom") is None
    with pytest.raises(NotFound):
        records.get(CAT, HOME, "Tom")
    records.delete(tom)
    with pytest.raises(NotFound):
        records.load(tom.id)
    with pytest.raises(NotFound):
        records.by_arn(tom.arn)


def test_a_transition_writes_state_document_and_event_together(records: Records) -> None:
    tom = add(records, "tom")
    awake = records.transition(tom, AWAKE, document={"Mood": "fine"}, message="Yawn", at=tom.created - 5)
    assert records.load(tom.id) == awake
    assert (awake.state, awake.document, awake.version) == (AWAKE, {"Mood": "fine"}, tom.version + 1)
    event = records.events(tom)[-1]
    assert (event.at, event.state, event.message) == (tom.created - 5, AWAKE, "Yawn")
    assert awake.modified >= tom.modified


def test_a_remark_replaces_the_message_of_the_state_that_a_record_is_in(records: Records) -> None:
    tom = add(records, "tom")
    records.remark(tom, "yawns")
    assert [event.message for event in records.events(tom)] == ["yawns"]
    awake = records.transition(tom, AWAKE, message="stretches")
    records.remark(tom, "too late")
    records.remark(awake, "looks around")
    assert [event.message for event in records.events(tom)] == ["yawns", "looks around"]
    assert records.update(awake, {"mood": 1}).version == awake.version + 1


def test_the_gate_refuses_a_road_that_is_not_there(records: Records) -> None:
    tom = add(records, "tom")
    with pytest.raises(IllegalTransition, match="cat tom: no road from Resting/Asleep to Gone"):
        records.transition(tom, GONE, document={"Mood": "bad"})
    assert records.load(tom.id) == tom
    assert len(records.events(tom)) == 1


def test_only_one_of_two_who_loaded_the_same_record_changes_it(records: Records) -> None:
    tom = add(records, "tom")
    records.update(tom, {"Mood": "fine"})
    for change in (
        lambda: records.update(tom, {"Mood": "bad"}),
        lambda: records.transition(tom, AWAKE),
        lambda: records.delete(tom),
    ):
        with pytest.raises(Stale):
            change()
    assert records.load(tom.id).document == {"Mood": "fine"}
    assert len(records.events(tom)) == 1


def test_no_update_is_lost_among_many_threads(records: Records) -> None:
    tom = records.update(add(records, "tom"), {"Meals": 0})
    outcomes: Counter[str] = Counter()

    def feed(_: int) -> None:
        while True:
            current = records.load(tom.id)
            try:
                records.update(current, {"Meals": current.document["Meals"] + 1})
                return
            except Stale:
                outcomes["stale"] += 1

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(feed, range(160)))
    assert records.load(tom.id).document == {"Meals": 160}
    assert outcomes["stale"] > 0


def test_one_of_many_passes_the_gate_with_one_event(records: Records) -> None:
    tom = add(records, "tom")

    def wake(_: int) -> str:
        try:
            records.transition(tom, AWAKE)
        except Stale:
            return "stale"
        return "awake"

    with ThreadPoolExecutor(16) as pool:
        outcomes = Counter(pool.map(wake, range(16)))
    assert outcomes == {"awake": 1, "stale": 15}
    assert [event.state for event in records.events(tom)] == [ASLEEP, AWAKE]


def test_deletion_takes_tags_and_events_along_and_frees_the_name(records: Records) -> None:
    tom = add(records, "tom")
    records.add_tags(tom, {"colour": "grey"})
    records.delete(tom)
    again = add(records, "tom")
    assert again.id != tom.id
    assert (records.tags(tom), records.tags(again)) == ({}, {})
    assert records.events(tom) == []
    with pytest.raises(NotFound):
        records.add_tags(tom, {"colour": "grey"})


def test_live_finds_what_must_go_on_in_every_region(records: Records) -> None:
    add(records, "done", state=GONE)
    assert {record.name for record in records.live(CAT)} == set()
    add(records, "tom")
    add(records, "kit", ABROAD, AWAKE)
    assert {record.name for record in records.live(CAT)} == {"tom", "kit"}


def test_tags_merge_and_go(records: Records) -> None:
    tom = add(records, "tom")
    records.add_tags(tom, {"b": "1", "a": "1"})
    records.add_tags(tom, {"b": "2", "": "blank"})
    assert list(records.tags(tom).items()) == [("", "blank"), ("a", "1"), ("b", "2")]
    records.remove_tags(tom, ["b", "never"])
    assert records.tags(tom) == {"": "blank", "a": "1"}


def test_tags_beyond_the_limit_change_nothing(records: Records) -> None:
    tom = add(records, "tom")
    records.add_tags(tom, {str(number): "" for number in range(49)})
    records.add_tags(tom, {"0": "again", "49": ""})
    with pytest.raises(TooManyTags):
        records.add_tags(tom, {"1": "again", "50": ""})
    assert len(records.tags(tom)) == 50
    assert records.tags(tom)["1"] == ""


def test_two_kinds_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="two kinds of the name cat"):
        Kind("cat")
