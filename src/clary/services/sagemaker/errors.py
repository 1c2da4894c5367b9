"""Errors that many SageMaker operations share, worded as the service words them."""

from collections.abc import Iterable
from typing import Any

from clary.records.tags import MOST_TAGS
from clary.wire.errors import ServiceError


class JobError(Exception):
    """A job or endpoint cannot go on for a reason that is the user's: becomes its `FailureReason`."""


def invalid(message: str) -> ServiceError:
    return ServiceError("ValidationException", message, 400)


def not_built(what: str) -> ServiceError:
    """For a member of a request that AWS knows and Clary does not act on yet: never accepted in silence."""
    return invalid(f"{what} is not built in Clary yet.")


def too_many_tags() -> ServiceError:
    return ServiceError("ResourceLimitExceeded", f"A resource can have at most {MOST_TAGS} tags.")


def refuse_members(request: dict[str, Any], members: Iterable[str]) -> None:
    """Raise `not_built` for the first of `members` that the request asks for; empty and False ask for nothing."""
    for member in members:
        if _asks(request.get(member)):
            raise not_built(member)


def _asks(value: Any) -> bool:
    return any(map(_asks, value.values())) if isinstance(value, dict) else bool(value)
