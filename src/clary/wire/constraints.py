"""The constraints that a shape's traits lay on a value, each with AWS's words for it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from botocore.model import Shape

from clary.wire.patterns import matches

NUMBERS = ("integer", "long", "float", "double")


@dataclass(frozen=True, slots=True)
class Rule:
    constraint: str
    broken_by: Callable[[Any], bool]


def rules_of(shape: Shape) -> Iterator[Rule]:
    """In the order in which AWS reports them."""
    traits = shape.metadata
    least, most = traits.get("min"), traits.get("max")
    if shape.type_name in NUMBERS:
        if most is not None:
            yield Rule(f"Member must have value less than or equal to {most}", lambda value: value > most)
        if least is not None:
            yield Rule(f"Member must have value greater than or equal to {least}", lambda value: value < least)
        return
    if most is not None:
        yield Rule(f"Member must have length less than or equal to {most}", lambda value: len(value) > most)
    if least is not None:
        yield Rule(f"Member must have length greater than or equal to {least}", lambda value: len(value) < least)
    if pattern := traits.get("pattern"):
        yield Rule(
            f"Member must satisfy regular expression pattern: {pattern}",
            lambda value: not matches(pattern, value),
        )
    if values := traits.get("enum"):
        allowed = frozenset(values)
        yield Rule(f"Member must satisfy enum value set: [{', '.join(values)}]", lambda value: value not in allowed)


def show(value: Any) -> str:
    """A value as AWS quotes it: Java's way of printing it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(map(show, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}={show(item)}' for key, item in value.items())}}}"
    return str(value)
