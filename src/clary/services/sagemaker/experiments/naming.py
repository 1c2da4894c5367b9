"""What all kinds of experiments' resources have in common."""

from typing import Any


def displayed(request: dict[str, Any], name_member: str) -> dict[str, Any]:
    """AWS shows a resource that was given no other name by its own."""
    return {"DisplayName": request[name_member], **request}
