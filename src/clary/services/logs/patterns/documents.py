"""Patterns for events that are JSON: `{ ($.user.id = 1 && $.users[0].email = "a@b.c") || $.error IS TRUE }`.

A selector that leads nowhere, or to an object or a list, fails every comparison, `!=` too. One may have a `*` in
place of a name or an index, for any.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any

import orjson

from clary.services.logs.patterns.logic import Conditions
from clary.services.logs.patterns.scanner import Scanner
from clary.services.logs.patterns.values import Test, Value, read_test

Step = str | int | None
"""A member's name, an element's index, None for any."""
Select = Callable[[Any], list[Any]]

_STEP = re.compile(r"\.(?P<name>[\w-]+|\*)|\.?\[(?:(?P<index>\d{1,9}|\*)|'(?P<quoted>[^']+)'|\"(?P<double>[^\"]+)\")\]")
_STATE = re.compile(r"IS\s+(NULL|TRUE|FALSE)\b|NOT\s+EXISTS\b")
_STATES = {"NULL": None, "TRUE": True, "FALSE": False}


def compile_document(pattern: str) -> Callable[[str], bool]:
    scanner = Scanner(pattern)
    scanner.expect("{")
    test = Conditions(scanner, lambda: _read_comparison(scanner)).read()
    scanner.expect("}")
    scanner.end()

    def matches(text: str) -> bool:
        try:
            document = orjson.loads(text)
        except orjson.JSONDecodeError:
            return False
        return test(document)

    return matches


def _read_comparison(scanner: Scanner) -> Callable[[Any], bool]:
    select = _read_selector(scanner)
    state = scanner.match(_STATE)
    if state is None:
        test = read_test(scanner)
        return lambda document: any(_holds(test, node) for node in select(document))
    if state[1] is None:
        return lambda document: not select(document)
    wanted = _STATES[state[1]]
    return lambda document: any(node is wanted for node in select(document))


def _holds(test: Test, node: Any) -> bool:
    if isinstance(node, str):
        return test(Value(node, None))
    if isinstance(node, int | float) and not isinstance(node, bool):
        return test(Value(orjson.dumps(node).decode(), node))
    return False


def _read_selector(scanner: Scanner) -> Select:
    """What of a document a `$.path[0].like["this"]` leads to: nothing, one node, or with a `*` any number."""
    scanner.expect("$")
    steps: list[Step] = []
    while step := scanner.match(_STEP, after_blanks=False):
        name = step["name"] or step["quoted"] or step["double"]
        steps.append(_step(name, step["index"]))
    if not steps:
        raise scanner.refuse("a member ($.name) is expected")
    if steps.count(None) > 1:
        raise scanner.refuse("a selector may have no more than one *")

    def select(document: Any) -> list[Any]:
        nodes = [document]
        for step in steps:
            nodes = [below for node in nodes for below in _below(node, step)]
        return nodes

    return select


def _step(name: str | None, index: str | None) -> Step:
    if "*" in (name, index):
        return None
    return int(index) if index is not None else name


def _below(node: Any, step: Step) -> Iterable[Any]:
    if isinstance(node, dict):
        if step is None:
            return node.values()
        return [node[step]] if step in node else []
    if isinstance(node, list):
        if step is None:
            return node
        return [node[step]] if isinstance(step, int) and step < len(node) else []
    return []
