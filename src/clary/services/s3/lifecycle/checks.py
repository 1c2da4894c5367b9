"""What S3 asks of a lifecycle configuration before it keeps it, in S3's words where they are known."""

import secrets
from typing import Any

from clary.objects.errors import StoreError
from clary.services.s3.lifecycle.filters import Filter, checked_filter
from clary.services.s3.lifecycle.transitions import check_noncurrent_transitions, check_transitions, is_midnight
from clary.wire.refusals import malformed_xml

MOST_RULES = 1000
LONGEST_ID = 255
MOST_NEWER_VERSIONS = 100

_ACTIONS = (
    "Expiration",
    "Transitions",
    "NoncurrentVersionExpiration",
    "NoncurrentVersionTransitions",
    "AbortIncompleteMultipartUpload",
)


def checked_rules(rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rules as they are kept: each with an ID."""
    if len(rules) > MOST_RULES:
        raise malformed_xml()
    if any("Filter" in rule for rule in rules) and any("Prefix" in rule and "Filter" not in rule for rule in rules):
        raise StoreError(
            "InvalidRequest",
            "Base level prefix cannot be used in Lifecycle V2, prefixes are only supported in the Filter.",
        )
    ids: set[str] = set()
    prefixes: set[str] = set()
    for rule in rules:
        _check_rule(rule)
        _take(ids, rule.get("ID"), "InvalidArgument", "Rule ID must be unique. Found same ID for more than one rule")
        prefix = rule.get("Prefix")
        _take(prefixes, prefix, "InvalidRequest", f"Found two rules with same prefix '{prefix}'")
    return [{**rule, "ID": rule.get("ID") or secrets.token_urlsafe(36)} for rule in rules]


def _take(taken: set[str], value: str | None, code: str, message: str) -> None:
    if value is None:
        return
    if value in taken:
        raise StoreError(code, message)
    taken.add(value)


def _check_rule(rule: dict[str, Any]) -> None:
    if len(rule.get("ID", "")) > LONGEST_ID:
        raise StoreError("InvalidArgument", f"ID length should not exceed allowed limit of {LONGEST_ID}")
    if rule["Status"] not in ("Enabled", "Disabled"):
        raise malformed_xml()
    about = checked_filter(rule)
    if not any(action in rule for action in _ACTIONS):
        raise StoreError("InvalidRequest", "At least one action needs to be specified in a rule.")
    check_transitions(rule.get("Transitions", []), about)
    check_noncurrent_transitions(rule.get("NoncurrentVersionTransitions", []), about)
    if "Expiration" in rule:
        _check_expiration(rule["Expiration"], rule.get("Transitions", []), about)
    if "NoncurrentVersionExpiration" in rule:
        later = rule.get("NoncurrentVersionTransitions", [])
        _check_noncurrent_expiration(rule["NoncurrentVersionExpiration"], later, about)
    if "AbortIncompleteMultipartUpload" in rule:
        _check_abort(rule["AbortIncompleteMultipartUpload"], about)


def _check_expiration(expiration: dict[str, Any], transitions: list[dict[str, Any]], about: Filter) -> None:
    if len(expiration) != 1:
        raise malformed_xml()
    if "ExpiredObjectDeleteMarker" in expiration:
        _check_for_whole_keys("ExpiredObjectDeleteMarker", about)
        return
    days, date = expiration.get("Days"), expiration.get("Date")
    if days is not None and days < 1:
        raise StoreError("InvalidArgument", "'Days' for Expiration action must be a positive integer")
    if date is not None and not is_midnight(date):
        raise StoreError("InvalidArgument", "'Date' must be at midnight GMT")
    unit, other = ("Days", "Date") if days is not None else ("Date", "Days")
    if any(other in transition for transition in transitions):
        raise StoreError(
            "InvalidRequest",
            "Found mixed 'Date' and 'Days' based Expiration and Transition actions in lifecycle rule for filter "
            f"'{about}'",
        )
    if any(transition[unit] >= expiration[unit] for transition in transitions):
        comparison = "greater" if unit == "Days" else "later"
        raise StoreError(
            "InvalidArgument",
            f"'{unit}' in the Expiration action for filter '{about}' must be {comparison} than '{unit}' in the "
            "Transition action",
        )


def _check_noncurrent_expiration(expiration: dict[str, Any], transitions: list[dict[str, Any]], about: Filter) -> None:
    days = expiration.get("NoncurrentDays")
    if days is None:
        raise malformed_xml()
    if days < 1:
        message = "'NoncurrentDays' for NoncurrentVersionExpiration action must be a positive integer"
        raise StoreError("InvalidArgument", message)
    if not 1 <= expiration.get("NewerNoncurrentVersions", 1) <= MOST_NEWER_VERSIONS:
        message = f"'NewerNoncurrentVersions' must be a positive integer up to {MOST_NEWER_VERSIONS}"
        raise StoreError("InvalidArgument", message)
    if any(transition["NoncurrentDays"] >= days for transition in transitions):
        raise StoreError(
            "InvalidArgument",
            f"'NoncurrentDays' in the NoncurrentVersionExpiration action for filter '{about}' must be greater than "
            "'NoncurrentDays' in the NoncurrentVersionTransition action",
        )


def _check_abort(abort: dict[str, Any], about: Filter) -> None:
    days = abort.get("DaysAfterInitiation")
    if days is None:
        raise malformed_xml()
    if days < 1:
        message = "'DaysAfterInitiation' for AbortIncompleteMultipartUpload action must be a positive integer"
        raise StoreError("InvalidArgument", message)
    _check_for_whole_keys("AbortIncompleteMultipartUpload", about)


def _check_for_whole_keys(action: str, about: Filter) -> None:
    """What has neither tags nor a size is not chosen by them."""
    if about.tags:
        raise StoreError("InvalidRequest", f"{action} cannot be specified with Tags.")
    if about.sized:
        raise StoreError("InvalidRequest", f"{action} cannot be specified with Object Size.")
