"""Pages of what a role holds: IAM's MaxItems and Marker over a list that is at hand."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from typing import Any

from clary.wire.errors import ServiceError

MAX_ITEMS = 100


def page_of(request: dict[str, Any], member: str, items: Mapping[str, Any]) -> dict[str, Any]:
    """The response with those of `items`, by their names, that are due, as `member`. A marker is the last name seen,
    so that what comes and goes between two pages moves no other."""
    after = _read(request["Marker"]) if "Marker" in request else ""
    names = [name for name in sorted(items) if name > after]
    due = names[: request.get("MaxItems", MAX_ITEMS)]
    more = {"Marker": _write(due)} if len(due) < len(names) else {}
    return {member: [items[name] for name in due], "IsTruncated": bool(more), **more}


def _write(names: Sequence[str]) -> str:
    return urlsafe_b64encode(names[-1].encode()).decode()


def _read(marker: str) -> str:
    try:
        return urlsafe_b64decode(marker).decode()
    except ValueError:
        raise ServiceError("ValidationError", "Invalid Marker.", 400) from None
