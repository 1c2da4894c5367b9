"""Which objects a rule is about: by prefix, tags and size."""

from dataclasses import dataclass
from typing import Any

from clary.objects.errors import StoreError
from clary.services.s3.names import LONGEST_KEY
from clary.services.s3.tagging import is_valid
from clary.wire.refusals import malformed_xml

LARGEST = 1_099_511_627_776_000
"""Bytes that a size in a filter may name."""


@dataclass(frozen=True, slots=True)
class Filter:
    prefix: str = ""
    tags: tuple[tuple[str, str], ...] = ()
    larger_than: int | None = None
    smaller_than: int | None = None

    @property
    def sized(self) -> bool:
        return self.larger_than is not None or self.smaller_than is not None

    def takes(self, key: bytes, size: int, tags: list[dict[str, str]]) -> bool:
        return (
            key.startswith(self.prefix.encode())
            and (self.larger_than is None or size > self.larger_than)
            and (self.smaller_than is None or size < self.smaller_than)
            and set(self.tags) <= {(tag["Key"], tag["Value"]) for tag in tags}
        )

    def __str__(self) -> str:
        """As S3's messages name it."""
        return f"(prefix={self.prefix})"


def filter_of(rule: dict[str, Any]) -> Filter:
    chosen = rule.get("Filter", {})
    chosen = chosen.get("And", chosen)
    tags = chosen.get("Tags", [chosen["Tag"]] if "Tag" in chosen else [])
    return Filter(
        prefix=rule.get("Prefix") or chosen.get("Prefix", ""),
        tags=tuple((tag["Key"], tag["Value"]) for tag in tags),
        larger_than=chosen.get("ObjectSizeGreaterThan"),
        smaller_than=chosen.get("ObjectSizeLessThan"),
    )


def checked_filter(rule: dict[str, Any]) -> Filter:
    """Of a rule with a `Filter` of one predicate, or of `And` and several, or with the older `Prefix`."""
    if ("Filter" in rule) == ("Prefix" in rule) or len(rule.get("Filter", {})) > 1:
        raise malformed_xml()
    several = rule.get("Filter", {}).get("And")
    if several is not None and len(several) - ("Tags" in several) + len(several.get("Tags", [])) < 2:
        raise malformed_xml()
    found = filter_of(rule)
    if len(found.prefix.encode()) > LONGEST_KEY:
        raise StoreError("InvalidRequest", f"The maximum size of a prefix is {LONGEST_KEY}.")
    if len({key for key, _ in found.tags}) < len(found.tags):
        raise StoreError("InvalidRequest", "Duplicate Tag Keys are not allowed.")
    for key, value in found.tags:
        if not is_valid({"Key": key, "Value": value}):
            raise StoreError("InvalidTag", "The tag provided was not a valid tag.", TagKey=key, TagValue=value)
    _check_sizes(found)
    return found


def _check_sizes(found: Filter) -> None:
    least, most = found.larger_than, found.smaller_than
    if least is not None and not 0 <= least <= LARGEST:
        raise StoreError("InvalidRequest", f"'ObjectSizeGreaterThan' should be between 0 and {LARGEST}.")
    if most is not None and not 1 <= most <= LARGEST:
        raise StoreError("InvalidRequest", f"'ObjectSizeLessThan' should be between 1 and {LARGEST}.")
    if least is not None and most is not None and most <= least:
        raise StoreError(
            "InvalidRequest", "'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'."
        )
