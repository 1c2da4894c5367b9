"""Whom a bucket's configuration names to be told of its objects, and of which."""

from typing import Any, NamedTuple

from clary.objects.errors import StoreError
from clary.services.s3.enums import values_of

DOCUMENT = "BucketNotification"
EVENT_BRIDGE = "EventBridgeConfiguration"
TARGETS = {
    "TopicConfigurations": ("TopicArn", "sns"),
    "QueueConfigurations": ("QueueArn", "sqs"),
    "LambdaFunctionConfigurations": ("LambdaFunctionArn", "lambda"),
}
"""By the member of a configuration: where its entries name their destination, and the service of that."""


class Target(NamedTuple):
    """One entry of a configuration."""

    id: str
    service: str
    arn: str
    events: tuple[str, ...]
    """`s3:ObjectCreated:*` …"""
    prefix: str
    suffix: str

    def wants(self, event: str, key: str) -> bool:
        """Whether it is to be told of `event` (`ObjectCreated:Put`) on the object `key`."""
        told = any(covers(each, f"s3:{event}") for each in self.events)
        return told and key.startswith(self.prefix) and key.endswith(self.suffix)


def targets_of(configuration: dict[str, Any]) -> list[Target]:
    found = []
    for member, (names, service) in TARGETS.items():
        for entry in configuration.get(member, []):
            rules = _rules(entry.get("Filter", {}).get("Key", {}).get("FilterRules", []))
            prefix, suffix = rules.get("prefix", ""), rules.get("suffix", "")
            found.append(Target(entry["Id"], service, entry[names], tuple(entry["Events"]), prefix, suffix))
    return found


def _rules(rules: list[dict[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for rule in rules:
        name = rule.get("Name", "").lower()
        if name not in values_of("FilterRuleName"):
            raise invalid("filter rule name must be either prefix or suffix", "FilterRule.Name", name)
        if name in found:
            raise invalid(f"Cannot specify more than one {name} rule in a filter.", "FilterRule", name)
        found[name] = rule.get("Value", "")
    return found


def covers(pattern: str, event: str) -> bool:
    return event.startswith(pattern[:-1]) if pattern.endswith("*") else pattern == event


def invalid(message: str, name: str, value: str) -> StoreError:
    return StoreError("InvalidArgument", message, ArgumentName=name, ArgumentValue=value)
