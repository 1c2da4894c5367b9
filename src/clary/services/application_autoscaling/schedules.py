"""When a scheduled action is due: `at(…)`, `rate(…)` and `cron(…)`, as the user guide of the service has them."""

import calendar
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

UNITS = {"minute": 60, "hour": 3600, "day": 24 * 3600}
HORIZON = timedelta(days=366 * 5)
"""How far ahead a cron expression is looked for."""
_MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
_DAYS = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), start=1)}

Matches = Callable[[int], bool]


def next_time(schedule: str, zone: str, after: float, since: float) -> float | None:
    """The first time after `after` (epoch seconds); None where there is none. Rates count from `since`.

    Raises `ValueError` for what is no schedule.
    """
    match = re.fullmatch(r"(at|rate|cron)\((.*)\)", schedule.strip())
    if match is None:
        raise ValueError(f"{schedule} is neither at(…) nor rate(…) nor cron(…)")
    kind, inner = match.groups()
    if kind == "at":
        at = datetime.fromisoformat(inner).replace(tzinfo=ZoneInfo(zone)).timestamp()
        return at if at > after else None
    if kind == "rate":
        seconds = _rate(inner)
        return since + (max(0.0, after - since) // seconds + 1) * seconds
    return _cron(inner, ZoneInfo(zone), after)


def _rate(inner: str) -> float:
    match = re.fullmatch(r"([1-9]\d*) (minute|hour|day)s?", inner)
    if match is None:
        raise ValueError(f"rate({inner}) is not a number of minutes, hours or days")
    return int(match[1]) * UNITS[match[2]]


def _cron(inner: str, zone: ZoneInfo, after: float) -> float | None:
    fields = inner.split()
    if len(fields) != 6:
        raise ValueError(f"cron({inner}) has {len(fields)} fields, not 6")
    minute, hour = _field(fields[0], 0, 59), _field(fields[1], 0, 23)
    month, year = _field(fields[3], 1, 12, _MONTHS), _field(fields[5], 1970, 2199)
    last, weekday = fields[2] == "L", _field(fields[4], 1, 7, _DAYS)
    day_of_month = _field("*" if last else fields[2], 1, 31)
    moment = datetime.fromtimestamp(after, UTC).astimezone(zone).replace(second=0, microsecond=0) + timedelta(minutes=1)
    end = moment + HORIZON
    while moment < end:
        of_month = moment.day == calendar.monthrange(moment.year, moment.month)[1] if last else day_of_month(moment.day)
        if not (year(moment.year) and month(moment.month) and of_month and weekday(moment.isoweekday() % 7 + 1)):
            moment = moment.replace(hour=0, minute=0) + timedelta(days=1)
        elif not hour(moment.hour):
            moment = moment.replace(minute=0) + timedelta(hours=1)
        elif not minute(moment.minute):
            moment += timedelta(minutes=1)
        else:
            return moment.timestamp()
    return None


def _field(text: str, least: int, most: int, names: dict[str, int] | None = None) -> Matches:
    """`*`, `?`, `5`, `1-5`, `MON-FRI`, `*/10`, `0/15`, and lists of these."""
    if text in ("*", "?"):
        return lambda _: True
    chosen: set[int] = set()
    for part in text.upper().split(","):
        match = re.fullmatch(r"(\*|\w+)(?:-(\w+))?(?:/(\d+))?", part)
        if match is None:
            raise ValueError(f"{text} cannot be read as a field of a cron expression")
        first, second, step = match.groups()
        start = least if first == "*" else _number(first, names or {})
        stop = _number(second, names or {}) if second else (most if step or first == "*" else start)
        if not least <= start <= stop <= most or step == "0":
            raise ValueError(f"{text} is not between {least} and {most}")
        chosen |= set(range(start, stop + 1, int(step or 1)))
    return chosen.__contains__


def _number(text: str, names: dict[str, int]) -> int:
    if text in names:
        return names[text]
    if not text.isdigit():
        raise ValueError(f"{text} is no number in a cron expression")
    return int(text)
