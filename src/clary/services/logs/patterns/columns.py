"""Patterns for events in columns: `[ip, user, ..., status = 4* && status != 403, size > 1000]`.

An event is in columns by blanks; what is between brackets or quotes is one. It must have as many as the pattern names,
or with `...` at least so many: that stands for any number of them.
"""

import re
from collections.abc import Callable

from clary.services.logs.patterns.logic import Conditions
from clary.services.logs.patterns.scanner import Scanner
from clary.services.logs.patterns.values import Value, number_of, read_test

Row = dict[str, Value]
"""Columns by the names that the pattern gives them."""
Test = Callable[[Row], bool]

_NAME = re.compile(r"\w+", re.ASCII)
_PLAIN = re.compile(r"\S+")
_CLOSING = {'"': re.compile(r'(?<!\\)"(?!\S)'), "[": re.compile(r"\](?!\S)")}
"""What ends a column, by what it begins with: a bracket or quote behind which it does not go on."""


class _Layout:
    """The columns that a pattern names, and its conditions on them."""

    def __init__(self, pattern: str) -> None:
        self._scanner = Scanner(pattern)
        self._named: set[str] = set()
        self._mentioned: set[str] = set()
        self.before: list[str] = []
        self.after: list[str] | None = None
        """Behind the `...`; None where there is none."""
        self.tests: list[Test] = []
        self._read()

    def _read(self) -> None:
        self._scanner.expect("[")
        self._read_column()
        while self._scanner.take(","):
            self._read_column()
        self._scanner.expect("]")
        self._scanner.end()
        if unknown := self._mentioned - self._named:
            raise self._scanner.refuse(f"no column has the name {min(unknown)}")

    def _read_column(self) -> None:
        if self._scanner.take("...") or self._scanner.take("…"):
            if self.after is not None:
                raise self._scanner.refuse("... may stand only once")
            self.after = []
            return
        columns = self.before if self.after is None else self.after
        name = self._scanner.match(_NAME)
        columns.append(name[0] if name else "")
        if name is None:
            return
        if name[0] in self._named:
            raise self._scanner.refuse(f"two columns have the name {name[0]}")
        self._named.add(name[0])
        if not self._scanner.at_one_of(",]"):
            self._read_conditions(name[0])

    def _read_conditions(self, first: str) -> None:
        """Of a column whose name is read already."""
        names = [first]

        def read_comparison() -> Test:
            name = names.pop() if names else self._read_mention()
            test = read_test(self._scanner)
            return lambda row: test(row[name])

        self.tests.append(Conditions(self._scanner, read_comparison).read())

    def _read_mention(self) -> str:
        name = self._scanner.match(_NAME)
        if name is None:
            raise self._scanner.refuse("the name of a column is expected")
        self._mentioned.add(name[0])
        return name[0]


def compile_columns(pattern: str) -> Callable[[str], bool]:
    layout = _Layout(pattern)

    def matches(text: str) -> bool:
        row = _named(columns_of(text), layout.before, layout.after)
        return row is not None and all(test(row) for test in layout.tests)

    return matches


def columns_of(text: str) -> list[str]:
    columns = []
    unclosed: set[str] = set()
    at = 0
    while found := _PLAIN.search(text, at):
        first, at = found[0][0], found.end()
        column = found[0]
        # Each is looked for to the end of the text once at most: an event may hold many that nothing closes.
        if first in _CLOSING and first not in unclosed:
            closing = _CLOSING[first].search(text, found.start() + 1)
            if closing is None:
                unclosed.add(first)
            else:
                column, at = text[found.start() + 1 : closing.start()], closing.end()
        columns.append(column)
    return columns


def _named(columns: list[str], before: list[str], after: list[str] | None) -> Row | None:
    """None where the event is of another shape."""
    named = len(before) + len(after or ())
    if len(columns) < named or (after is None and len(columns) > named):
        return None
    pairs = [*zip(before, columns, strict=False)]
    if after:
        pairs += zip(after, columns[-len(after) :], strict=True)
    return {name: Value(text, number_of(text)) for name, text in pairs}
