"""Timestamps as clients write them and as they want to read them."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clary.wire.timestamps import TimestampFormat, format_timestamp, parse_timestamp, read_epoch

MOMENT = 1700000000.0


@pytest.mark.parametrize(
    "text",
    [
        "2023-11-14T22:13:20Z",
        "2023-11-14T22:13:20.000Z",
        "2023-11-14T23:13:20+01:00",
        "20231114T221320Z",
        "Tue, 14 Nov 2023 22:13:20 GMT",
        "Tuesday, 14-Nov-23 22:13:20 GMT",
        "1700000000",
        "1.7e9",
    ],
)
def test_every_form_is_read(text: str) -> None:
    assert parse_timestamp(text) == MOMENT


@pytest.mark.parametrize("text", ["", "soon", "2023-13-01", "Tue, 99 Nov 2023 22:13:20 GMT", "nan", "1e30", "-1e30"])
def test_what_is_no_timestamp_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the message is the library's
        parse_timestamp(text)


@pytest.mark.parametrize("number", [1e30, -1e30, float("nan"), float("inf"), 10**400])
def test_a_number_outside_the_calendar_is_refused(number: float) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the message is the library's
        read_epoch(number)


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("iso8601", "2023-11-14T22:13:20.123Z"),
        ("rfc822", "Tue, 14 Nov 2023 22:13:20 GMT"),
        ("unixTimestamp", "1700000000.123"),
    ],
)
def test_each_form_is_written_to_the_millisecond(form: TimestampFormat, text: str) -> None:
    assert format_timestamp(MOMENT + 0.1234, form) == text
    assert format_timestamp(datetime.fromtimestamp(MOMENT + 0.1234, UTC), form) == text


@given(st.integers(0, 4_000_000_000_000))
def test_milliseconds_survive_the_way_out_and_in(milliseconds: int) -> None:
    for form in ("iso8601", "unixTimestamp"):
        assert parse_timestamp(format_timestamp(milliseconds / 1000, form)) == milliseconds / 1000
