"""What is raised inside this package where a request does not follow its protocol."""

MAX_DEPTH = 64
"""Levels of nesting in a document: a few shapes may contain themselves, and what walks them later is recursive."""


class Unreadable(ValueError):
    """A value that is not of the type that the model gives it."""


class UnreadableArgument(Unreadable):
    """The same, for a parameter of the query or a header."""

    def __init__(self, message: str, name: str, value: str) -> None:
        super().__init__(message)
        self.name = name
        self.value = value


class UnreadableBody(Unreadable):
    """The same, for a document in the body."""
