"""Lifecycle policies: read, and asked which images are due.

Rules are taken in the order of their priority; an image that one of them selects is none of the later ones'. Source:
"Lifecycle policy parameters" and "How lifecycle policies work" in the Amazon ECR User Guide.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from clary.registry.images import Image
from clary.wire.errors import ServiceError

DAY = 24 * 3600.0

Tagged = tuple[Image, list[str]]


@dataclass(frozen=True, slots=True)
class Rule:
    priority: int
    status: str
    """`tagged`, `untagged` or `any`."""
    patterns: tuple[str, ...]
    """An image is selected that has a tag for each of them."""
    most: int | None
    """How many of those selected are kept, the newest."""
    days: int | None
    """How long they are kept."""

    def selects(self, tags: Iterable[str]) -> bool:
        tags = list(tags)
        if self.status == "any":
            return True
        if self.status == "untagged":
            return not tags
        return bool(tags) and all(any(fnmatchcase(tag, each) for tag in tags) for each in self.patterns)


class Due(NamedTuple):
    image: Image
    tags: list[str]
    priority: int


def due(rules: Iterable[Rule], tagged: list[Tagged], now: float) -> list[Due]:
    """The images that expire, with the rule by which."""
    left = sorted(tagged, key=lambda each: each[0].pushed, reverse=True)
    found = []
    for rule in sorted(rules, key=lambda each: each.priority):
        selected = [each for each in left if rule.selects(each[1])]
        left = [each for each in left if not rule.selects(each[1])]
        expiring = selected[rule.most :] if rule.most is not None else selected
        if rule.days is not None:
            expiring = [each for each in expiring if each[0].pushed < now - rule.days * DAY]
        found += [Due(image, tags, rule.priority) for image, tags in expiring]
    return found


def read_policy(text: str) -> list[Rule]:
    """Raises `InvalidParameterException` where it is none, and says what is not done of one."""
    try:
        rules = [_rule(each) for each in json.loads(text)["rules"]]
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
        raise _invalid(f"Lifecycle policy validation failure: {error!r}") from None
    if len({rule.priority for rule in rules}) != len(rules) or not rules:
        raise _invalid("Lifecycle policy validation failure: rules need priorities, each another one")
    if any(rule.status == "any" and rule.priority != max(r.priority for r in rules) for rule in rules):
        raise _invalid("Lifecycle policy validation failure: a rule for any tag status must have the highest priority")
    return rules


def _rule(given: dict[str, Any]) -> Rule:
    selection, action = given["selection"], given["action"]["type"]
    status, counted, number = selection["tagStatus"], selection["countType"], selection["countNumber"]
    if action != "expire":
        raise _invalid(f"The action {action!r} of a lifecycle rule is not built in Clary yet; expire is.")
    if counted not in ("imageCountMoreThan", "sinceImagePushed"):
        raise _invalid(f"The count type {counted!r} is not built; imageCountMoreThan and sinceImagePushed are.")
    if status not in ("tagged", "untagged", "any") or type(number) is not int or number < 1:
        raise ValueError(f"tagStatus {status!r}, countNumber {number!r}")
    if counted == "sinceImagePushed" and selection["countUnit"] != "days":
        raise ValueError(f"countUnit {selection['countUnit']!r}")
    patterns = [f"{_literal(prefix)}*" for prefix in selection.get("tagPrefixList", [])]
    patterns += [str(pattern) for pattern in selection.get("tagPatternList", [])]
    if (status == "tagged") != bool(patterns):
        raise ValueError(f"tagStatus {status!r} with {len(patterns)} patterns of tags")
    limit: dict[str, int] = {"most" if counted == "imageCountMoreThan" else "days": number}
    return Rule(int(given["rulePriority"]), status, tuple(patterns), limit.get("most"), limit.get("days"))


def _literal(prefix: str) -> str:
    return prefix.replace("[", "[[]").replace("*", "[*]").replace("?", "[?]")


def _invalid(message: str) -> ServiceError:
    return ServiceError("InvalidParameterException", message, 400)
