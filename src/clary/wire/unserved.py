"""Calls to services that Clary does not serve: told in a protocol that their clients read.

    signed for `kms`, or for a target of another service's ─▶ NotImplemented: Clary does not serve KMS; it serves …

The request itself shows its protocol, so none of botocore's other models is read for it. Only the name is looked
up among them, in the first bytes of each, when the first such call comes.
"""

import gzip
from functools import cache
from json import JSONDecoder
from pathlib import Path
from typing import Any, NamedTuple

import botocore

from clary.wire.errors import ServiceError
from clary.wire.http import Request
from clary.wire.models import SERVICES, SIGNING_NAMES, TARGET_PREFIXES, Protocol

FORM = "application/x-www-form-urlencoded"
S3_CONTROL_PATH = "/v20180820/"
_REST_XML = frozenset({"cloudfront", "route53", "s3", "s3-object-lambda", "s3express"})
"""Signing names of the services whose REST speaks XML; all others speak JSON."""
_HEAD = 4096
"""Bytes of a model that hold its metadata, which stands before everything else."""


class Published(NamedTuple):
    """What a model says of its service."""

    name: str
    """`SNS`, `Route 53`."""
    target_prefix: str


def is_unserved(request: Request, signing_name: str | None) -> bool:
    """Whether the request is for a service that is not served, as far as its signature and its head tell."""
    if signing_name == "s3":
        # S3 Control signs as S3 does, and its account's header and path would be read as a bucket's.
        return request.path.startswith(S3_CONTROL_PATH) and "x-amz-account-id" in request.headers
    if signing_name is None:
        prefix = request.headers.get("x-amz-target").partition(".")[0]
        return bool(prefix) and prefix not in TARGET_PREFIXES
    return signing_name not in SIGNING_NAMES


def protocol_spoken(request: Request, signing_name: str | None) -> Protocol:
    if "smithy-protocol" in request.headers:
        return "smithy-rpc-v2-cbor"
    if "x-amz-target" in request.headers:
        return "json"
    if request.path == "/" and request.headers.get("content-type").startswith(FORM):
        return "ec2" if signing_name == "ec2" else "query"
    return "rest-xml" if signing_name in _REST_XML else "rest-json"


def refusal(request: Request, signing_name: str | None) -> ServiceError:
    """Reads some hundred files the first time."""
    served = ", ".join(_published()[service].name for service in SERVICES)
    message = f"Clary does not serve {_name(request, signing_name)}; it serves {served}."
    return ServiceError("NotImplemented", message, 501)


def _name(request: Request, signing_name: str | None) -> str:
    if signing_name == "s3":
        return _published()["s3control"].name
    prefix = request.headers.get("x-amz-target").partition(".")[0]
    alike = [_published()[each] for each in _by_signing_name().get(signing_name or "", _published())]
    named = [each.name for each in alike if prefix and each.target_prefix == prefix]
    if named:
        return named[0]
    if signing_name in _published():
        return _published()[signing_name].name
    return alike[0].name if signing_name in _by_signing_name() else signing_name or prefix


@cache
def _metadata() -> dict[str, dict[str, Any]]:
    """Of every service that botocore publishes, by botocore's name of it."""
    newest = {path.parts[-3]: path for path in sorted(_models())}
    return {service: _metadata_of(path) for service, path in newest.items()}


def _models() -> list[Path]:
    return list((Path(botocore.__file__).parent / "data").glob("*/*/service-2.json.gz"))


def _metadata_of(path: Path) -> dict[str, Any]:
    with gzip.open(path) as file:
        head = file.read(_HEAD).decode("utf-8", "ignore")
    start = head.index("{", head.index('"metadata"'))
    metadata: dict[str, Any] = JSONDecoder().raw_decode(head, start)[0]
    return metadata


@cache
def _published() -> dict[str, Published]:
    return {
        service: Published(metadata["serviceId"], metadata.get("targetPrefix", ""))
        for service, metadata in _metadata().items()
    }


@cache
def _by_signing_name() -> dict[str, list[str]]:
    services: dict[str, list[str]] = {}
    for service, metadata in _metadata().items():
        services.setdefault(metadata.get("signingName", metadata["endpointPrefix"]), []).append(service)
    return services
