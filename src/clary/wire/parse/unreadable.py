"""What is raised inside this package where a request does not follow its protocol."""

from clary.wire.errors import ServiceError

MAX_DEPTH = 64
"""Levels of nesting in a document: a few shapes may contain themselves, and what walks them later is recursive."""


class Unreadable(ValueError):
    """A value that is not of the type that the model gives it."""


class UnreadableBody(Unreadable):
    """The same, for a document in the body."""


def malformed_xml() -> ServiceError:
    """What S3 says of every document that it does not take, whatever is wrong with it."""
    message = "The XML you provided was not well-formed or did not validate against our published schema"
    return ServiceError("MalformedXML", message, 400)
