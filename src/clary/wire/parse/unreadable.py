"""What is raised inside this package where a request does not follow its protocol."""


class Unreadable(ValueError):
    """A value that is not of the type that the model gives it."""


class UnreadableBody(Unreadable):
    """The same, for a document in the body."""
