"""Pages of a listing against a plain model of it, and what they cost."""

import itertools
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, event, insert

from clary.objects.embedded import EmbeddedStore
from clary.objects.listing import OBJECTS, VERSIONS, Query, read_page
from clary.objects.tables import versions
from clary.objects.versions import Version

Names = list[tuple[str, bytes]]


def fill(store: EmbeddedStore, keys: list[bytes]) -> None:
    """Put rows of those keys in place of what is there."""
    row = {
        "bucket": "data",
        "version_id": "null",
        "current": True,
        "body": "0" * 32,
        "size": 0,
        "etag": "",
        "modified": 0,
    }
    documents = {"headers": {}, "checksums": {}, "tags": [], "parts": []}
    rows = [{**row, **documents, "key": key} for key in keys]
    store.change(lambda connection: connection.execute(delete(versions)))
    if rows:
        store.change(lambda connection: connection.execute(insert(versions), rows))


def model(keys: list[bytes], prefix: bytes, delimiter: bytes) -> Names:
    """Keys and common prefixes in order, as S3 documents them."""
    shown: Names = []
    for key in sorted(keys):
        if not key.startswith(prefix):
            continue
        at = key.find(delimiter, len(prefix)) if delimiter else -1
        name = ("prefix", key[: at + len(delimiter)]) if at >= 0 else ("key", key)
        if name not in shown:
            shown.append(name)
    return shown


def pages(store: EmbeddedStore, query: Query[Version]) -> Iterator[Names]:
    while True:
        page = store.view(lambda connection, query=query: read_page(connection, OBJECTS, query))
        names = [("key", row.key) for row in page.rows] + [("prefix", prefix) for prefix in page.prefixes]
        yield sorted(names, key=lambda name: name[1])
        if not page.truncated:
            return
        query = Query("data", query.limit, query.prefix, query.delimiter, page.last)


texts = st.text("ab/é", max_size=6).map(str.encode)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sets(texts.filter(bool), max_size=25),
    st.text("ab/", max_size=2).map(str.encode),
    st.sampled_from([b"", b"/", b"b", b"a/"]),
    st.integers(1, 6),
)
def test_pages_join_to_the_model(
    store: EmbeddedStore, keys: set[bytes], prefix: bytes, delimiter: bytes, limit: int
) -> None:
    fill(store, list(keys))
    found = list(pages(store, Query("data", limit, prefix, delimiter)))
    assert list(itertools.chain(*found)) == model(list(keys), prefix, delimiter)
    assert all(len(page) == limit for page in found[:-1])


@pytest.fixture
def statements(store: EmbeddedStore) -> list[str]:
    """Every statement from here on."""
    run: list[str] = []

    @event.listens_for(store._engine, "before_cursor_execute")
    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        run.append(statement)

    return run


def reads(statements: list[str]) -> list[str]:
    """Those of listings."""
    return [statement for statement in statements if 'ORDER BY object_versions."key"' in statement]


def test_a_page_costs_what_it_shows_not_what_it_skips(store: EmbeddedStore, statements: list[str]) -> None:
    fill(store, [b"%d/%05d" % (directory, number) for directory in range(5) for number in range(4000)] + [b"x"])
    statements.clear()
    (page,) = pages(store, Query("data", 1000, delimiter=b"/"))
    assert page == [("prefix", b"%d/" % directory) for directory in range(5)] + [("key", b"x")]
    assert len(reads(statements)) <= 6


def test_a_full_page_is_one_statement(store: EmbeddedStore, statements: list[str]) -> None:
    fill(store, [b"%05d" % number for number in range(3000)])
    statements.clear()
    (first, *_) = pages(store, Query("data", 1000, after=b"00499"))
    assert (len(first), first[0]) == (1000, ("key", b"00500"))
    assert len(reads(statements)) == 3


def test_versions_go_on_within_a_key(store: EmbeddedStore) -> None:
    fill(store, [b"a", b"b"])
    row = store.view(lambda connection: read_page(connection, VERSIONS, Query("data", 1))).rows[0]
    rest = store.view(lambda c: read_page(c, VERSIONS, Query("data", 5, after=b"a", after_row=row)))
    assert [each.key for each in rest.rows] == [b"b"]
