"""Conditions put together: `()` binds before `&&`, which binds before `||`."""

from collections.abc import Callable
from typing import Generic, TypeVar

from clary.services.logs.patterns.scanner import Scanner

Subject = TypeVar("Subject")
Test = Callable[[Subject], bool]

MAX_DEPTH = 32
"""Of parentheses: what they nest is read by recursion."""


class Conditions(Generic[Subject]):
    """Reads a condition; `read_comparison` reads one comparison, whose tests are of `Subject`s."""

    def __init__(self, scanner: Scanner, read_comparison: Callable[[], Test[Subject]]) -> None:
        self._scanner = scanner
        self._read_comparison = read_comparison

    def read(self, depth: int = 0) -> Test[Subject]:
        tests = [self._read_all(depth)]
        while self._scanner.take("||"):
            tests.append(self._read_all(depth))
        return tests[0] if len(tests) == 1 else lambda subject: any(test(subject) for test in tests)

    def _read_all(self, depth: int) -> Test[Subject]:
        tests = [self._read_one(depth)]
        while self._scanner.take("&&"):
            tests.append(self._read_one(depth))
        return tests[0] if len(tests) == 1 else lambda subject: all(test(subject) for test in tests)

    def _read_one(self, depth: int) -> Test[Subject]:
        if not self._scanner.take("("):
            return self._read_comparison()
        if depth == MAX_DEPTH:
            raise self._scanner.refuse(f"parentheses are nested deeper than {MAX_DEPTH}")
        test = self.read(depth + 1)
        self._scanner.expect(")")
        return test
