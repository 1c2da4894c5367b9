"""When a delivery that failed is tried again.

Source: "Amazon SNS message delivery retries" of the developer guide: an endpoint's own errors (5xx, 429, or no answer)
are tried again by the subscription's policy, another 4xx is not.
"""

from typing import Any

import orjson

from clary.services.sns.errors import invalid, not_built

DEFAULT = {"minDelayTarget": 20, "maxDelayTarget": 20, "numRetries": 3}
"""Seconds before the first and the last of that many tries; those in between lie evenly between them."""
LIMITS = {"minDelayTarget": (1, 3600), "maxDelayTarget": (1, 3600), "numRetries": (0, 100)}
EFFECTIVE = {
    "defaultHealthyRetryPolicy": {**DEFAULT, "backoffFunction": "linear"},
    "disableSubscriptionOverrides": False,
}


def checked_policy(text: str) -> str:
    """What a subscription sets as its `DeliveryPolicy`."""
    try:
        policy = orjson.loads(text)["healthyRetryPolicy"]
        numbers = {name: int(value) for name, value in policy.items() if name in LIMITS}
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError):
        raise invalid("DeliveryPolicy", "It is no object with a healthyRetryPolicy") from None
    others = {name: value for name, value in policy.items() if name not in LIMITS}
    if others.pop("backoffFunction", "linear") != "linear" or any(others.values()):
        raise not_built("DeliveryPolicy", "A policy beyond minDelayTarget, maxDelayTarget and numRetries")
    for name, value in numbers.items():
        least, most = LIMITS[name]
        if not least <= value <= most:
            raise invalid("DeliveryPolicy", f"{name} must be from {least} to {most}")
    return text


def pause_after(policy: dict[str, Any], failures: int) -> float | None:
    """Seconds to wait after so many tries have failed; None to give up."""
    chosen = {**DEFAULT, **policy.get("healthyRetryPolicy", {})}
    first, last, retries = chosen["minDelayTarget"], chosen["maxDelayTarget"], chosen["numRetries"]
    if failures > retries:
        return None
    return float(first + (last - first) * (failures - 1) / max(1, retries - 1))
