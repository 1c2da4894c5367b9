"""Pages of what is short enough to be read whole: the token of the next is how many came before it."""

from typing import Any, TypeVar

from clary.wire.errors import ServiceError

T = TypeVar("T")
MOST_RECORDS = 100


def page_of(items: list[T], request: dict[str, Any]) -> tuple[list[T], dict[str, str]]:
    """The page that `MaxRecords` and `NextToken` ask for, and the `NextToken` of the one after it, if any."""
    token = request.get("NextToken", "0")
    if not (token.isascii() and token.isdigit() and len(token) < 10):
        raise ServiceError("InvalidNextToken", "The NextToken is not valid for this request.", 400)
    first = int(token)
    last = first + request.get("MaxRecords", MOST_RECORDS)
    return items[first:last], {"NextToken": str(last)} if last < len(items) else {}
