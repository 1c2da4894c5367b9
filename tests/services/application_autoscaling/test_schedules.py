"""Schedules: the next time after a moment."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from clary.services.application_autoscaling.schedules import next_time


def at(text: str, zone: str = "UTC") -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


NOW = at("2026-11-27T19:30:20")


@pytest.mark.parametrize(
    ("schedule", "zone", "expected"),
    [
        ("at(2026-11-28T08:00:00)", "UTC", at("2026-11-28T08:00:00")),
        ("at(2026-11-28T08:00:00)", "Europe/Berlin", at("2026-11-28T07:00:00")),
        ("at(2026-11-27T08:00:00)", "UTC", None),
        ("rate(1 hour)", "UTC", at("2026-11-27T20:00:00")),
        ("rate(2 days)", "UTC", at("2026-11-29T19:00:00")),
        ("cron(0 8 * * ? *)", "UTC", at("2026-11-28T08:00:00")),
        ("cron(0/15 * * * ? *)", "UTC", at("2026-11-27T19:45:00")),
        ("cron(30 9 ? * MON-FRI *)", "America/New_York", at("2026-11-30T09:30:00", "America/New_York")),
        ("cron(0 0 L * ? *)", "UTC", at("2026-11-30T00:00:00")),
        ("cron(0 0 1 1 ? 2028)", "UTC", at("2028-01-01T00:00:00")),
        ("cron(0 0 1 1 ? 2020)", "UTC", None),
    ],
)
def test_the_next_time_of_a_schedule(schedule: str, zone: str, expected: float | None) -> None:
    assert next_time(schedule, zone, NOW, at("2026-11-27T19:00:00")) == expected


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        ("daily", "neither at"),
        ("rate(0 minutes)", "not a number of minutes"),
        ("rate(1 week)", "not a number of minutes"),
        ("cron(0 8 * * ?)", "5 fields, not 6"),
        ("cron(61 8 * * ? *)", "not between 0 and 59"),
        ("at(tomorrow)", "Invalid isoformat"),
    ],
)
def test_what_is_no_schedule_is_refused(schedule: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        next_time(schedule, "UTC", NOW, NOW)
