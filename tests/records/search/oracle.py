"""Search without an index: every record's document is looked through, and all that fulfil are sorted."""

from collections.abc import Iterator
from typing import Any

from clary.records.search.expression import (
    AllOf,
    AnyOf,
    Contain,
    Equal,
    Expression,
    Not,
    Present,
    Together,
    Within,
)
from clary.records.search.order import Order

Document = dict[str, Any]


def searched(documents: dict[str, Document], asked: Expression, order: Order) -> list[str]:
    """Names in the order asked for. Documents say `Modified`, which settles it where the rest is equal, as their
    positions do where that is."""
    found = [name for name, document in documents.items() if fulfils(document, asked)]
    return sorted(found, key=lambda name: _key(documents, name, order), reverse=False)


class Reversed:
    """Sorts the other way round."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __lt__(self, other: "Reversed") -> bool:
        return bool(other.value < self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reversed) and bool(other.value == self.value)


def _key(documents: dict[str, Document], name: str, order: Order) -> Any:
    position = list(documents).index(name)
    values = list(at(documents[name], order.path.split(".")))
    numbers = [number for value in values if (number := as_number(value, order.path)) is not None]
    texts = [value for value in values if isinstance(value, str)]
    first = max if order.descending else min
    if numbers and order.held in ("numbers", "both"):
        key: Any = (0, first(numbers), position)
    elif texts and order.held in ("texts", "both"):
        key = (1, first(texts), position)
    else:
        key = (2, documents[name]["LastModifiedTime"], position)
    return (key[0], Reversed(key[1:])) if order.descending else key


def as_number(value: Any, path: str) -> float | None:
    if isinstance(value, str):
        try:
            return float(value) if path.startswith("Traits.") else None
        except ValueError:
            return None
    return None if isinstance(value, bool) else float(value)


def at(document: Any, path: list[str]) -> Iterator[Any]:
    """Every value at the path, through lists; below it where the path ends in an empty name."""
    if isinstance(document, list):
        for item in document:
            yield from at(item, path)
    elif path == [""]:
        yield from _leaves(document)
    elif not path:
        if not isinstance(document, dict):
            yield ("true" if document else "false") if isinstance(document, bool) else document
    elif isinstance(document, dict) and path[0] in document:
        yield from at(document[path[0]], path[1:])


def _leaves(document: Any) -> Iterator[Any]:
    if isinstance(document, dict | list):
        for item in document.values() if isinstance(document, dict) else document:
            yield from _leaves(item)
    else:
        yield document


def fulfils(document: Document, asked: Expression) -> bool:
    match asked:
        case AllOf(parts):
            return all(fulfils(document, part) for part in parts)
        case AnyOf(parts):
            return any(fulfils(document, part) for part in parts)
        case Not(part):
            return not fulfils(document, part)
        case Together(path, _, parts):
            # The element alone, in the place where the list was.
            return any(
                all(fulfils(_wrapped(path.split("."), element), part) for part in parts)
                for element in _elements(document, path.split("."))
                if any(True for _ in _leaves(element))  # one that says nothing is none
            )
        case Equal(path, values):
            return any(value in values for value in at(document, path.split(".")) if isinstance(value, str))
        case Contain(path, part):
            return any(part in value for value in at(document, path.split(".")) if isinstance(value, str))
        case Present(path):
            return any(True for _ in at(document, path.split(".")))
        case Within(path):
            numbers = [as_number(value, path) for value in at(document, path.split("."))]
            return any(_between(number, asked) for number in numbers if number is not None)
    raise TypeError(asked)


def _between(number: float, asked: Within) -> bool:
    if asked.low is not None and (number < asked.low or (number == asked.low and not asked.with_low)):
        return False
    return asked.high is None or number < asked.high or (number == asked.high and asked.with_high)


def _elements(document: Any, path: list[str]) -> Iterator[Any]:
    if isinstance(document, list):
        for item in document:
            yield from _elements(item, path) if path else iter([item])
    elif path and isinstance(document, dict) and path[0] in document:
        yield from _elements(document[path[0]], path[1:])


def _wrapped(path: list[str], element: Any) -> Any:
    return {path[0]: _wrapped(path[1:], element)} if path else element
