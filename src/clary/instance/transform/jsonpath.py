"""The JSONPath of batch transform's filters: what AWS documents of it, and nothing more.

    $          the whole               .name  ['name']  ['a','b']        members: one, or an object of several
    .*  [*]    all members or items    [0]  [-1]  [1,3]  [2:5]  [0,5:]   items: one, or an array of several

"Supported JSONPath operators", https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform-data-processing.html.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

STEP = re.compile(
    r"""\.?\[(?P<inside>[^\[\]]*)\] | \.(?P<name>[^.\[\]'"*,\s]+) | \.(?P<all>\*)""",
    re.VERBOSE,
)
QUOTED = re.compile(r"""\s*(?:'([^']*)'|"([^"]*)")\s*(?:,|$)""")
PLACE = re.compile(r"\s*(?:(-?\d+)|(-?\d*):(-?\d*))\s*")

Step = tuple[Callable[[Any], Any], bool]
"""From a value to what it selects of it; and whether that is several."""


class NotThere(Exception):
    """A path names what a record does not have. The argument says what."""


class Path:
    def __init__(self, text: str) -> None:
        """Raises `ValueError` for what is no such path."""
        self.text = text
        self._steps = list(_parse(text))

    @property
    def is_whole(self) -> bool:
        return not self._steps

    def select(self, value: Any) -> Any:
        """Raises `NotThere`."""
        return _select(value, self._steps)


def _select(value: Any, steps: list[Step]) -> Any:
    for number, (pick, several) in enumerate(steps):
        value = pick(value)
        if several and number + 1 < len(steps):
            found = value.values() if isinstance(value, dict) else value
            return [_select(each, steps[number + 1 :]) for each in found]
    return value


def _parse(text: str) -> list[Step]:
    if not text.startswith("$"):
        raise ValueError(f"{text!r} does not begin with $")
    steps, at = [], 1
    while at < len(text):
        match = STEP.match(text, at)
        if match is None:
            raise ValueError(f"{text[at:]!r} of {text!r} is no operator that is supported")
        steps.append(_step(match, text))
        at = match.end()
    return steps


def _step(match: re.Match[str], text: str) -> Step:
    inside = (match["inside"] or "").strip()
    if match["all"] or inside == "*":
        return _all, True
    if match["name"]:
        return _member(match["name"]), False
    if names := _names(inside):
        return (_member(names[0]), False) if len(names) == 1 else (_members(names), True)
    places = [PLACE.fullmatch(part) for part in inside.split(",")]
    if None in places:
        raise ValueError(f"[{inside}] of {text!r} holds neither names nor indexes")
    picks = [_place(place) for place in places if place]
    return (_item(picks[0]), False) if len(picks) == 1 and isinstance(picks[0], int) else (_items(picks), True)


def _names(inside: str) -> list[str]:
    names, at = [], 0
    while at < len(inside) and (match := QUOTED.match(inside, at)):
        names.append(match[1] if match[1] is not None else match[2])
        at = match.end()
    return names if at == len(inside) and not inside.endswith(",") else []


def _place(match: re.Match[str]) -> int | slice:
    if match[1] is not None:
        return int(match[1])
    return slice(int(match[2]) if match[2] else None, int(match[3]) if match[3] else None)


def _all(value: Any) -> Any:
    if isinstance(value, dict):
        return list(value.values())
    return _array(value)


def _member(name: str) -> Callable[[Any], Any]:
    def pick(value: Any) -> Any:
        if not isinstance(value, dict) or name not in value:
            raise NotThere(f"there is no attribute {name!r}")
        return value[name]

    return pick


def _members(names: list[str]) -> Callable[[Any], Any]:
    picks = {name: _member(name) for name in names}
    return lambda value: {name: pick(value) for name, pick in picks.items()}


def _item(index: int) -> Callable[[Any], Any]:
    def pick(value: Any) -> Any:
        try:
            return _array(value)[index]
        except IndexError:
            raise NotThere(f"there is no index {index} among {len(value)}") from None

    return pick


def _items(places: list[int | slice]) -> Callable[[Any], Any]:
    def pick(value: Any) -> Any:
        array, found = _array(value), []
        for place in places:
            found += array[place] if isinstance(place, slice) else [_item(place)(array)]
        return found

    return pick


def _array(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise NotThere("what is indexed is no array")
    return value
