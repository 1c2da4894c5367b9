"""What is raised inside this package where a request does not follow its protocol."""

MAX_DEPTH = 64
"""Levels of nesting in a document: a few shapes may contain themselves, and what walks them later is recursive."""


class Unreadable(ValueError):
    """A value that is not of the type that the model gives it."""


class UnreadableBody(Unreadable):
    """The same, for a document in the body."""
