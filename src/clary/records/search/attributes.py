"""A described record as a flat list: path, place, value.

    {"InputDataConfig": [{"ChannelName": "train"}, {"ChannelName": "test"}], "HyperParameters": {"eta": "0.1"}}

    InputDataConfig.ChannelName  (0,)  "train"
    InputDataConfig.ChannelName  (1,)  "test"
    HyperParameters.eta          ()    "0.1"
    HyperParameters.eta          ()    0.1

The index holds the first `MOST` of them, and of each text the first `LONGEST` characters; paths longer than a
property's name may be cannot be asked for.
"""

import math
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from clary.records.record import Record
from clary.records.search.searchable import NamedList, Searchable

MOST = 1000
LONGEST = 200
LONGEST_PATH = 255

MODIFIED = "LastModifiedTime"
"""Every record has it: what is walked along where no other order is asked for."""

_DECIMAL = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


class Attribute(NamedTuple):
    path: str
    place: tuple[int, ...]
    """Positions in the lists on the way, from the outermost in."""
    value: str | float


def attributes(declared: Searchable, record: Record, tags: Mapping[str, str]) -> list[Attribute]:
    document = declared.describe(record)
    if declared.within:
        document = {declared.within: document}
    found: list[Attribute] = []
    modified = document.get(MODIFIED)
    _walk(found, MODIFIED, (), record.modified if modified is None else modified)
    for name, value in document.items():
        if name != MODIFIED:
            _walk(found, name, (), value)
    for key, text in tags.items():
        found.append(Attribute(f"Tags.{key}", (), text))
    for named in declared.named:
        _walk_named(found, document, named)
    for prefix in declared.decimals:
        found += _decimals(found, f"{prefix}.")
    return found


def read_decimal(text: str) -> float | None:
    """The finite number that all of the text is, None where it is none."""
    if _DECIMAL.fullmatch(text) is None:
        return None
    number = float(text)
    return number if math.isfinite(number) else None


def is_askable(path: str) -> bool:
    return len(path) <= LONGEST_PATH and "\0" not in path


def fit(text: str) -> str:
    """What the index holds of a text. PostgreSQL has no place for NUL in one."""
    if len(text) > LONGEST:
        text = text[:LONGEST]
    return text.replace("\0", "\ufffd") if "\0" in text else text


def _walk(found: list[Attribute], path: str, place: tuple[int, ...], value: Any) -> None:
    if isinstance(value, str):
        found.append(Attribute(path, place, value))
    elif isinstance(value, dict):
        for name, item in value.items():
            _walk(found, f"{path}.{name}", place, item)
    elif isinstance(value, bool):
        found.append(Attribute(path, place, "true" if value else "false"))
    elif isinstance(value, int | float):
        if math.isfinite(value):
            found.append(Attribute(path, place, float(value)))
    elif isinstance(value, list):
        for position, item in enumerate(value):
            _walk(found, path, (*place, position), item)


def _walk_named(found: list[Attribute], document: dict[str, Any], named: NamedList) -> None:
    for element in document.get(named.member) or ():
        path = f"{named.name}.{element[named.key]}"
        if named.value:
            _walk(found, path, (), element.get(named.value))
        else:
            _walk(found, path, (), {name: item for name, item in element.items() if name != named.key})


def _decimals(found: list[Attribute], prefix: str) -> list[Attribute]:
    numbers = []
    for path, place, value in found:
        if isinstance(value, str) and path.startswith(prefix):
            number = read_decimal(value)
            if number is not None:
                numbers.append(Attribute(path, place, number))
    return numbers
