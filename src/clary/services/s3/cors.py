"""The CORS rules of buckets: what is a rule, and which one lets a browser's script in.

Source: "Using cross-origin resource sharing (CORS)" in the Amazon S3 User Guide: the first rule counts that fits the
origin, the method and every header.
"""

import re
from typing import Any

from clary.objects.embedded import EmbeddedStore
from clary.objects.errors import StoreError
from clary.wire.crossorigin import Pairs
from clary.wire.errors import ServiceError
from clary.wire.refusals import malformed_xml

DOCUMENT = "BucketCors"
MOST_RULES = 100
METHODS = ("GET", "PUT", "POST", "DELETE", "HEAD")

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_NOT_ALLOWED = (
    "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request method / "
    "Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec."
)


class BucketRules:
    """A `CrossOrigin` of the wire."""

    def __init__(self, store: EmbeddedStore) -> None:
        self._store = store

    def preflight(self, bucket: str, origin: str, method: str, headers: list[str]) -> Pairs:
        rules = self._rules(bucket)
        if not rules:
            # Whether there is such a bucket is not for who did not sign.
            raise _forbidden("CORSResponse: CORS is not enabled for this bucket.", method)
        for rule in rules:
            if _fits(rule, origin, method) and all(_allows_header(rule, name) for name in headers):
                return _said(rule, origin)
        raise _forbidden(_NOT_ALLOWED, method)

    def allowed(self, bucket: str, origin: str, method: str) -> Pairs:
        for rule in self._rules(bucket):
            if _fits(rule, origin, method):
                return _said(rule, origin)
        return []

    def _rules(self, bucket: str) -> list[dict[str, Any]]:
        document = self._store.documents.of(bucket, DOCUMENT)
        rules: list[dict[str, Any]] = document["CORSRules"] if document else []
        return rules


def checked_cors(_store: EmbeddedStore, _bucket: str, configuration: dict[str, Any]) -> dict[str, Any]:
    rules = configuration["CORSRules"]
    if not 0 < len(rules) <= MOST_RULES:
        raise malformed_xml()
    for rule in rules:
        _check(rule)
    return configuration


def _check(rule: dict[str, Any]) -> None:
    if not rule["AllowedMethods"] or not rule["AllowedOrigins"]:
        raise malformed_xml()
    for method in rule["AllowedMethods"]:
        if method not in METHODS:
            raise StoreError(
                "InvalidRequest",
                f"Found unsupported HTTP method in CORS config. Unsupported method is {method}",
            )
    for member, name in (("AllowedOrigins", "AllowedOrigin"), ("AllowedHeaders", "AllowedHeader")):
        for value in rule.get(member, []):
            if value.count("*") > 1:
                raise StoreError("InvalidRequest", f'{name} "{value}" can not have more than one wildcard.')
    for value in rule.get("ExposeHeaders", []):
        if not _HEADER_NAME.fullmatch(value):
            raise malformed_xml()
        if "*" in value:
            raise StoreError(
                "InvalidRequest",
                f'ExposeHeader "{value}" contains wildcard. We currently do not support wildcard for ExposeHeader.',
            )


def _fits(rule: dict[str, Any], origin: str, method: str) -> bool:
    return method in rule["AllowedMethods"] and any(_like(each, origin) for each in rule["AllowedOrigins"])


def _allows_header(rule: dict[str, Any], name: str) -> bool:
    return any(_like(each.lower(), name) for each in rule.get("AllowedHeaders", []))


def _like(pattern: str, value: str) -> bool:
    """The star is the only wildcard here."""
    start, star, end = pattern.partition("*")
    if not star:
        return pattern == value
    return value.startswith(start) and value.endswith(end) and len(value) >= len(start) + len(end)


def _said(rule: dict[str, Any], origin: str) -> Pairs:
    any_origin = "*" in rule["AllowedOrigins"]
    said = [
        ("access-control-allow-origin", "*" if any_origin else origin),
        ("access-control-allow-methods", ", ".join(rule["AllowedMethods"])),
    ]
    if rule.get("ExposeHeaders"):
        said.append(("access-control-expose-headers", ", ".join(rule["ExposeHeaders"])))
    if "MaxAgeSeconds" in rule:
        said.append(("access-control-max-age", str(rule["MaxAgeSeconds"])))
    if not any_origin:
        said.append(("access-control-allow-credentials", "true"))
    return said


def _forbidden(message: str, method: str) -> ServiceError:
    return ServiceError("AccessForbidden", message, 403, Method=method, ResourceType="BUCKET")
