"""What the operations on logs share: names, errors, tokens."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson

from clary.control.call import Call
from clary.records.errors import AlreadyExists, NotFound
from clary.wire.errors import ServiceError

_LARGEST = 2**62
"""Of a number in a token: more is no time and no id, and no column holds it."""


def invalid(message: str) -> ServiceError:
    return ServiceError("InvalidParameterException", message, 400)


@contextmanager
def errors_of_logs() -> Iterator[None]:
    """Names what is missing, or there already, as the service does: `The specified log group does not
    exist.`"""
    try:
        yield
    except NotFound as error:
        raise ServiceError("ResourceNotFoundException", f"The specified {error} does not exist.", 400) from None
    except AlreadyExists as error:
        raise ServiceError("ResourceAlreadyExistsException", f"The specified {error} already exists", 400) from None


def group_name(request: dict[str, Any]) -> str:
    """The group that a request names, or identifies by its ARN."""
    if ("logGroupName" in request) == ("logGroupIdentifier" in request):
        raise invalid("You must specify either logGroupName or logGroupIdentifier, but not both.")
    name: str = request.get("logGroupName") or request["logGroupIdentifier"]
    return group_of_arn(name) if name.startswith("arn:") else name


def group_of_arn(arn: str) -> str:
    """`arn:aws:logs:<region>:<account>:log-group:<name>`, with or without `:*`."""
    _, separator, name = arn.partition(":log-group:")
    if not separator:
        raise invalid(f"The ARN {arn} is not one of a log group.")
    return name.removesuffix(":*")


def group_arn(call: Call, name: str) -> str:
    return call.arn("logs", f"log-group:{name}")


def sequence_token(ingested: float) -> str:
    """What clients of old gave with the next batch. It is accepted and means nothing, as the service documents."""
    return f"{round(ingested):056d}"


def write_token(*values: Any) -> str:
    return urlsafe_b64encode(orjson.dumps(values)).decode()


def read_token(token: str, *types: type) -> list[Any]:
    """The values of a token that `write_token` made of values of these types."""
    try:
        values = orjson.loads(urlsafe_b64decode(token))
    except (ValueError, TypeError):
        values = None
    if (
        not isinstance(values, list)
        or [type(value) for value in values] != list(types)
        or any(isinstance(value, int) and abs(value) > _LARGEST for value in values)
    ):
        raise invalid("The specified nextToken is invalid.")
    return values
