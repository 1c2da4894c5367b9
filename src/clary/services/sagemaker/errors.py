"""Errors that many SageMaker operations share, worded as the service words them."""

from clary.wire.errors import ServiceError


class JobError(Exception):
    """A job or endpoint cannot go on for a reason that is the user's: becomes its `FailureReason`."""


def invalid(message: str) -> ServiceError:
    return ServiceError("ValidationException", message, 400)


def not_built(what: str) -> ServiceError:
    """For a member of a request that AWS knows and Clary does not act on yet: never accepted in silence."""
    return invalid(f"{what} is not built in Clary yet.")
