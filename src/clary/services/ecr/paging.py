"""Pages of what is at hand, by keys that grow: what comes and goes between two pages moves nothing else."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import Any

import orjson

from clary.wire.errors import ServiceError

PAGE_SIZE = 100

Key = tuple[Any, ...]


def page_of(request: dict[str, Any], member: str, entries: Sequence[tuple[Key, Any]]) -> dict[str, Any]:
    """The response with those of `entries`, in the order of their keys, that are due, as `member`."""
    due = list(entries)
    if due and "nextToken" in request:
        after = _read(request["nextToken"], due[0][0])
        due = [entry for entry in due if entry[0] > after]
    page = due[: request.get("maxResults", PAGE_SIZE)]
    more = {"nextToken": urlsafe_b64encode(orjson.dumps(page[-1][0])).decode()} if len(page) < len(due) else {}
    return {member: [item for _, item in page], **more}


def _read(token: str, like: Key) -> Key:
    """The key after which the page begins, of the same types as `like`."""
    try:
        values = orjson.loads(urlsafe_b64decode(token))
    except ValueError:
        values = None
    if not isinstance(values, list) or [type(value) for value in values] != [type(value) for value in like]:
        raise ServiceError("InvalidParameterException", "The specified nextToken is invalid.", 400)
    return tuple(values)
