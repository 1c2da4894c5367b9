"""Comparisons: an operator, what stands right of it, and the value of an event that it is tried on.

=, !=          a number, a "string", a word, either with `*` at its ends for any text, or a %regular expression%
<, <=, >, >=   a number
"""

import operator
import re
from collections.abc import Callable
from typing import NamedTuple

from clary.services.logs.patterns.expressions import read_expression
from clary.services.logs.patterns.scanner import Scanner


class Value(NamedTuple):
    text: str
    number: float | None
    """Where it is one, or may be read as one."""


Test = Callable[[Value], bool]

NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_OPERATOR = re.compile(r"!=|<=|>=|=|<|>")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_WORD = re.compile(r"[\w.*+:/-]+", re.ASCII)
_RELATIONS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def read_test(scanner: Scanner) -> Test:
    """An operator and what is right of it."""
    found = scanner.match(_OPERATOR)
    if found is None:
        raise scanner.refuse("an operator (=, !=, <, <=, >, >=) is expected")
    if relation := _RELATIONS.get(found[0]):
        word = scanner.match(_WORD)
        bound = number_of(word[0]) if word else None
        if bound is None:
            raise scanner.refuse(f"a number is expected after {found[0]}")
        limit = bound
        return lambda value: value.number is not None and relation(value.number, limit)
    equals = _read_equality(scanner)
    return equals if found[0] == "=" else lambda value: not equals(value)


def number_of(text: str) -> float | None:
    return float(text) if NUMBER.fullmatch(text) else None


def _read_equality(scanner: Scanner) -> Test:
    expression = read_expression(scanner)
    if expression is not None:
        return lambda value: expression(value.text)
    if quoted := scanner.match(_QUOTED):
        return _text_test(re.sub(r"\\(.)", r"\1", quoted[1], flags=re.DOTALL))
    word = scanner.match(_WORD)
    if word is None:
        raise scanner.refuse("a word, a number, a quoted string or a regular expression is expected")
    number, same_text = number_of(word[0]), _text_test(word[0])
    if number is None:
        return same_text
    return lambda value: value.number == number if value.number is not None else same_text(value)


def _text_test(text: str) -> Test:
    """An asterisk inside a text is one."""
    head, tail = text.startswith("*"), text.endswith("*")
    if head and tail:
        return lambda value: text[1:-1] in value.text
    if head:
        return lambda value: value.text.endswith(text[1:])
    if tail:
        return lambda value: value.text.startswith(text[:-1])
    return lambda value: value.text == text
