"""Reading a filter pattern from left to right."""

import re

from clary.services.logs.requests import invalid
from clary.wire.errors import ServiceError

_SPACE = re.compile(r"\s*")


class Scanner:
    """Blanks between what is read do not count."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0
        self.expressions = 0
        """Regular expressions read so far."""

    def take(self, literal: str) -> bool:
        """Whether `literal` is next, which is then read."""
        self._skip()
        found = self._pattern.startswith(literal, self._at)
        if found:
            self._at += len(literal)
        return found

    def match(self, expected: re.Pattern[str], *, after_blanks: bool = True) -> re.Match[str] | None:
        """What is next, where it looks so; it is then read."""
        if after_blanks:
            self._skip()
        match = expected.match(self._pattern, self._at)
        if match is not None:
            self._at = match.end()
        return match

    def at_one_of(self, characters: str) -> bool:
        """Whether one of `characters` is next."""
        self._skip()
        return self._pattern[self._at : self._at + 1] in tuple(characters)

    def expect(self, literal: str) -> None:
        if not self.take(literal):
            raise self.refuse(f"{literal} is expected")

    def end(self) -> None:
        """Raises unless nothing is left."""
        self._skip()
        if self._at < len(self._pattern):
            raise self.refuse("the pattern should end")

    def refuse(self, reason: str) -> ServiceError:
        return invalid(f"Invalid filter pattern: {self._pattern}: {reason} at character {self._at + 1}.")

    def _skip(self) -> None:
        blanks = _SPACE.match(self._pattern, self._at)
        assert blanks is not None
        self._at = blanks.end()
