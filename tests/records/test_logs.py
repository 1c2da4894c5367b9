"""Log streams: in which order lines are read, what a tail after a crash finds, what expires."""

import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlalchemy.exc import DataError

from clary.database import open_database
from clary.records.errors import AlreadyExists, NotFound
from clary.records.log_reader import HEAD, TAIL, LogEvent, Position, Window
from clary.records.logs import LogStore
from clary.records.record import Scope
from tests.records.kinds import ABROAD, HOME


@pytest.fixture
def logs(engine: Engine) -> LogStore:
    return LogStore(engine)


def _texts(events: list[LogEvent]) -> list[str]:
    return [event.text for event in events]


def _read(logs: LogStore, position: Position = HEAD, limit: int = 100) -> list[str]:
    return _texts(logs.read(HOME, "g", "s", Window(), position, limit))


def test_appending_makes_group_and_stream_and_keeps_the_offset(logs: LogStore) -> None:
    assert logs.source_offset(HOME, "g", "s") == 0
    logs.append(HOME, "g", "s", [(1.0, "one"), (2.0, "two")], source_offset=8)
    assert logs.source_offset(HOME, "g", "s") == 8
    assert logs.source_offset(ABROAD, "g", "s") == 0
    assert _read(logs) == ["one", "two"]
    (stream,) = logs.streams(HOME, "g", limit=10)
    assert (stream.name, stream.first_at, stream.last_at) == ("s", 1000, 2000)


def test_an_offset_that_cannot_be_kept_keeps_no_lines(logs: LogStore) -> None:
    logs.append(HOME, "g", "s", [(1.0, "one")], source_offset=4)
    with pytest.raises((OverflowError, DataError)):
        logs.append(HOME, "g", "s", [(2.0, "two")], source_offset=2**64)
    assert logs.source_offset(HOME, "g", "s") == 4
    assert _read(logs) == ["one"]


def test_appended_lines_keep_their_order_when_the_clock_is_set_back(logs: LogStore) -> None:
    logs.append(HOME, "g", "s", [(5.0, "one"), (4.0, "two")])
    logs.append(HOME, "g", "s", [(3.0, "three")])
    assert _read(logs) == ["one", "two", "three"]


def test_put_lines_are_read_in_the_order_of_their_times(logs: LogStore) -> None:
    logs.append(HOME, "g", "s", [])
    logs.put(HOME, "g", "s", [(5.0, "late")])
    logs.put(HOME, "g", "s", [(4.0, "early"), (5.0, "later")])
    assert _read(logs) == ["early", "late", "later"]


def test_a_blank_line_stays_a_line(logs: LogStore) -> None:
    logs.append(HOME, "g", "s", [(1.0, "a"), (1.0, ""), (1.0, "b")])
    assert [text.strip() for text in _read(logs)] == ["a", "", "b"]


def test_a_line_may_hold_what_a_database_cannot(logs: LogStore) -> None:
    logs.append(HOME, "g", "s", [(1.0, "before\0after"), (1.0, "🐭 \x1b[31mred\r")])
    assert _read(logs) == ["before\ufffdafter", "🐭 \x1b[31mred\r"]


def test_many_threads_write_into_one_stream(logs: LogStore) -> None:
    def write(number: int) -> None:
        logs.append(HOME, "g", "s", [(float(number), f"{number}.{line}") for line in range(10)])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(40)))
    assert len(set(_read(logs, limit=1000))) == 400
    (stream,) = logs.streams(HOME, "g", limit=10)
    assert stream.last_at == 39_000


def test_a_page_ends_at_one_megabyte_but_never_before_its_first_event(logs: LogStore) -> None:
    half = "x" * (1 << 19)
    logs.append(HOME, "g", "s", [(1.0, half * 3), (2.0, half), (3.0, half), (4.0, "y")])
    sizes = [len(text) for text in _read(logs)]
    assert sizes == [3 << 19]
    assert len(_read(logs, Position(True, 1000, 1))) == 2
    assert len(_read(logs, TAIL)) == 2


@pytest.fixture(scope="module")
def many_regions(tmp_path_factory: pytest.TempPathFactory) -> LogStore:
    return LogStore(open_database(f"sqlite:///{tmp_path_factory.mktemp('logs') / 'clary.db'}"))


@settings(max_examples=50, deadline=None)
@given(
    times=st.lists(st.integers(0, 5), min_size=1, max_size=30),
    limit=st.integers(1, 7),
    forward=st.booleans(),
)
def test_pages_in_either_direction_hold_every_event_once(
    many_regions: LogStore, times: list[int], limit: int, forward: bool
) -> None:
    logs, scope = many_regions, Scope("123456789012", uuid.uuid4().hex)
    logs.append(scope, "g", "s", [])
    logs.put(scope, "g", "s", [(float(at), f"{number}") for number, at in enumerate(times)])
    position, pages = (HEAD if forward else TAIL), []
    while page := logs.search(scope, "g", Window(), position, limit):
        pages.append(page)
        edge = page[-1] if forward else page[0]
        position = Position(forward, edge.at, edge.id)
    seen = [event for page in (pages if forward else pages[::-1]) for event in page]
    assert _texts(seen) == [str(number) for number, _ in sorted(enumerate(times), key=lambda item: item[1])]


def test_a_window_holds_its_start_and_not_its_end(logs: LogStore) -> None:
    logs.append(HOME, "g", "s", [(1.0, "one"), (2.0, "two"), (3.0, "three")])
    assert _texts(logs.read(HOME, "g", "s", Window(2000, 3000), HEAD, 10)) == ["two"]


def test_a_search_crosses_the_streams_that_were_asked_for(logs: LogStore) -> None:
    for number, stream in enumerate(["a/1", "a/2", "A/3"]):
        logs.append(HOME, "g", stream, [(10.0 - number, stream)])
    logs.append(HOME, "other", "a/1", [(1.0, "elsewhere")])
    assert _texts(logs.search(HOME, "g", Window(), HEAD, 10)) == ["A/3", "a/2", "a/1"]
    assert _texts(logs.search(HOME, "g", Window(), HEAD, 10, prefix="a/")) == ["a/2", "a/1"]
    assert _texts(logs.search(HOME, "g", Window(), HEAD, 10, streams=["a/1", "A/3"])) == ["A/3", "a/1"]


def test_streams_are_listed_by_name_and_by_last_event(logs: LogStore) -> None:
    for at, name in ((3.0, "a"), (1.0, "b"), (2.0, "c")):
        logs.append(HOME, "g", name, [(at, "")])
    assert [stream.name for stream in logs.streams(HOME, "g", limit=2)] == ["a", "b"]
    first, second = logs.streams(HOME, "g", by_time=True, descending=True, limit=2)
    assert (first.name, second.name) == ("a", "c")
    after = logs.streams(HOME, "g", by_time=True, descending=True, after=second, limit=2)
    assert [stream.name for stream in after] == ["b"]


def test_groups_are_found_by_prefix_and_part_letter_for_letter(logs: LogStore) -> None:
    for name in ("/aws/B", "/aws/a", "/other"):
        logs.create_group(HOME, name)
    assert [group.name for group in logs.groups(HOME, limit=10)] == ["/aws/B", "/aws/a", "/other"]
    assert [group.name for group in logs.groups(HOME, prefix="/aws/", after="/aws/B", limit=10)] == ["/aws/a"]
    assert [group.name for group in logs.groups(HOME, contains="b", limit=10)] == []
    assert logs.groups(ABROAD, limit=10) == []


def test_what_is_older_than_the_retention_goes(logs: LogStore) -> None:
    now = time.time()
    logs.append(HOME, "g", "s", [(now - 8 * 86400, "old"), (now - 6 * 86400, "young")])
    logs.set_retention(HOME, "g", 7)
    assert _read(logs) == ["young"]
    logs.set_retention(HOME, "g", 5)
    logs.append(HOME, "g", "s", [(now, "new")])
    assert _read(logs) == ["new"]
    assert logs.group(HOME, "g").retention_days == 5


def test_deletion_takes_the_events_along(logs: LogStore) -> None:
    logs.append(HOME, "g", "s", [(1.0, "one")], source_offset=4)
    logs.delete_stream(HOME, "g", "s")
    assert logs.search(HOME, "g", Window(), HEAD, 10) == []
    with pytest.raises(NotFound, match="log stream"):
        logs.put(HOME, "g", "s", [(1.0, "two")])
    logs.delete_group(HOME, "g")
    with pytest.raises(NotFound, match="log group"):
        logs.read(HOME, "g", "s", Window(), HEAD, 10)
    assert logs.source_offset(HOME, "g", "s") == 0


def test_names_are_taken_once(logs: LogStore) -> None:
    logs.create_group(HOME, "g", {"team": "blue"})
    logs.create_stream(HOME, "g", "s")
    with pytest.raises(AlreadyExists, match="log group"):
        logs.create_group(HOME, "g")
    with pytest.raises(AlreadyExists, match="log stream"):
        logs.create_stream(HOME, "g", "s")
    logs.change_tags(HOME, "g", {"cost": "1"}, remove=["team"])
    assert logs.group(HOME, "g").tags == {"cost": "1"}
