"""Pages of what is short enough to be read whole: the token of the next is how many came before it."""

from typing import Any

from clary.wire.errors import ServiceError

MOST_RESULTS = 50


def page_of(member: str, items: list[dict[str, Any]], request: dict[str, Any]) -> dict[str, Any]:
    """The response with the page that `MaxResults` and `NextToken` ask for."""
    token = request.get("NextToken", "0")
    if not (token.isascii() and token.isdigit() and len(token) < 10):
        raise ServiceError("InvalidNextTokenException", "The NextToken is not valid for this request.", 400)
    first = int(token)
    last = first + request.get("MaxResults", MOST_RESULTS)
    return {member: items[first:last], **({"NextToken": str(last)} if last < len(items) else {})}
