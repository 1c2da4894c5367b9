"""What S3 asks of the transitions of a rule: one way down the classes, each after its time.

Source: "Transitioning objects using Amazon S3 Lifecycle" in the Amazon S3 User Guide.
"""

from itertools import pairwise
from typing import Any

from clary.objects.errors import StoreError
from clary.services.s3.lifecycle.filters import Filter
from clary.wire.refusals import malformed_xml

DOWNWARDS = ("STANDARD_IA", "INTELLIGENT_TIERING", "ONEZONE_IA", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE")
INFREQUENT = ("STANDARD_IA", "ONEZONE_IA")
SHORTEST_STAY = 30
"""Days that an object lies before it goes to one of the classes for infrequent access, and then in it."""

_DAY = 24 * 3600


def is_midnight(date: float) -> bool:
    return date % _DAY == 0


def check_transitions(transitions: list[dict[str, Any]], about: Filter) -> None:
    for transition in transitions:
        if ("Days" in transition) == ("Date" in transition) or transition.get("StorageClass") not in DOWNWARDS:
            raise malformed_xml()
        if not is_midnight(transition.get("Date", 0)):
            raise StoreError("InvalidArgument", "'Date' must be at midnight GMT")
        if "Days" in transition:
            _check_days(transition, "Days", "Transition")
    if len({"Days" in transition for transition in transitions}) > 1:
        raise StoreError(
            "InvalidRequest",
            f"Found mixed 'Date' and 'Days' based Transition actions in lifecycle rule for filter '{about}'",
        )
    unit = "Days" if transitions and "Days" in transitions[0] else "Date"
    _check_order(transitions, unit, "Transition", about)


def check_noncurrent_transitions(transitions: list[dict[str, Any]], about: Filter) -> None:
    for transition in transitions:
        if "NoncurrentDays" not in transition or transition.get("StorageClass") not in DOWNWARDS:
            raise malformed_xml()
        _check_days(transition, "NoncurrentDays", "NoncurrentVersionTransition")
    _check_order(transitions, "NoncurrentDays", "NoncurrentVersionTransition", about)


def _check_days(transition: dict[str, Any], unit: str, action: str) -> None:
    days, target = transition[unit], transition["StorageClass"]
    if days < 0:
        raise StoreError("InvalidArgument", f"'{unit}' in {action} action must be nonnegative")
    if target in INFREQUENT and days < SHORTEST_STAY:
        raise StoreError(
            "InvalidArgument",
            f"'{unit}' in {action} action must be greater than or equal to {SHORTEST_STAY} for storageClass '{target}'",
        )


def _check_order(transitions: list[dict[str, Any]], unit: str, action: str, about: Filter) -> None:
    targets = [transition["StorageClass"] for transition in transitions]
    if len(set(targets)) < len(targets):
        raise StoreError(
            "InvalidRequest",
            f"'StorageClass' must be different for '{action}' actions in same 'Rule' with filter '{about}'",
        )
    ordered = sorted(transitions, key=lambda transition: DOWNWARDS.index(transition["StorageClass"]))
    length = _DAY if unit == "Date" else 1
    for earlier, later in pairwise(ordered):
        stay = SHORTEST_STAY if earlier["StorageClass"] in INFREQUENT else 1
        if later[unit] < earlier[unit] + stay * length:
            raise StoreError(
                "InvalidArgument",
                f"'{unit}' in the {action} action for StorageClass '{later['StorageClass']}' for filter '{about}' must "
                f"be {stay} days more than '{unit}' in the {action} action for StorageClass "
                f"'{earlier['StorageClass']}'",
            )
