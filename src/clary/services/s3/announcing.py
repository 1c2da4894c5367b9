"""With a change of objects, whoever the bucket's configuration names is told, where somebody takes such events.

    must_tell? ─▶ handler ─▶ change ─▶ happenings ─▶ record or event ─▶ Destination.deliver ─▶ commit

An event is written in the transaction of the change that it tells of, so that neither is there without the other.
"""

import logging
import time
from typing import Any, NamedTuple
from uuid import uuid4

import orjson

from clary.control.call import Call
from clary.control.destinations import NoDestination
from clary.control.house import House
from clary.objects import buckets, versions
from clary.objects.embedded import EmbeddedStore
from clary.objects.errors import StoreError
from clary.objects.versions import Version
from clary.services.s3.events import Happening, event, record
from clary.services.s3.names import key_bytes
from clary.services.s3.targets import DOCUMENT, EVENT_BRIDGE, targets_of

log = logging.getLogger(__name__)

SUBJECT = "Amazon S3 Notification"
OWN = "sagemaker.amazonaws.com"
"""Who stores what the platform itself does."""

NAMES = {
    "PutObject": "ObjectCreated:Put",
    "CopyObject": "ObjectCreated:Copy",
    "CompleteMultipartUpload": "ObjectCreated:CompleteMultipartUpload",
    "DeleteObject": "ObjectRemoved:Delete",
    "DeleteObjects": "ObjectRemoved:Delete",
    "PutObjectTagging": "ObjectTagging:Put",
    "DeleteObjectTagging": "ObjectTagging:Delete",
    "PutObjectAcl": "ObjectAcl:Put",
}
"""What an operation lets happen."""


class Touched(NamedTuple):
    key: str
    version_id: str = ""
    marker: bool = False


def must_tell(store: EmbeddedStore, call: Call, operation: str, request: dict[str, Any]) -> bool:
    return bool(
        operation in NAMES and call.house.destinations and store.documents.of(request.get("Bucket", ""), DOCUMENT)
    )


def announce(
    store: EmbeddedStore, call: Call, operation: str, request: dict[str, Any], answer: dict[str, Any] | None
) -> None:
    """`answer` is what the change has returned. Nothing that goes wrong here may be the caller's error."""
    try:
        configuration = store.documents.of(request["Bucket"], DOCUMENT) or {}
        for touched in _touched(operation, request, answer or {}):
            _tell(call.house, configuration, _happening(store, call, operation, request["Bucket"], touched))
    except Exception:
        log.exception("%s of %s (request %s) could not be told of", operation, request["Bucket"], call.request_id)


def announce_own(house: House, store: EmbeddedStore, bucket: str, version: Version) -> None:
    """What the platform itself has stored for a job or an endpoint."""
    try:
        configuration = store.documents.of(bucket, DOCUMENT)
        if not configuration:
            return
        found = store.view(lambda connection: buckets.find(connection, bucket))
        happening = Happening(
            name="ObjectCreated:Put",
            operation="PutObject",
            at=version.modified,
            region=found.region,
            account=house.settings.account,
            principal=OWN,
            address=OWN,
            request_id=str(uuid4()),
            bucket=bucket,
            key=version.key.decode(),
            sequence=time.time_ns(),
            size=version.size,
            etag=version.etag,
            version_id=version.version_id if found.versioning else "",
        )
        _tell(house, configuration, happening)
    except Exception:
        log.exception("s3://%s/%s could not be told of", bucket, version.key.decode())


def _tell(house: House, configuration: dict[str, Any], happening: Happening) -> None:
    for target in targets_of(configuration):
        if target.service in house.destinations and target.wants(happening.name, happening.key):
            _send(house, target.service, target.arn, record(happening, target.id))
    if "events" in house.destinations and EVENT_BRIDGE in configuration:
        _send(house, "events", "", event(happening))


def _send(house: House, service: str, arn: str, message: dict[str, Any]) -> None:
    try:
        house.destinations[service].deliver(arn, orjson.dumps(message).decode(), SUBJECT)
    except NoDestination as error:
        log.warning("an event of S3 is lost: %s", error)


def _touched(operation: str, request: dict[str, Any], answer: dict[str, Any]) -> list[Touched]:
    if operation == "DeleteObjects":
        failed = {(each.get("Key"), each.get("VersionId")) for each in answer.get("Errors", [])}
        told = {(each["Key"], each.get("VersionId")): each for each in answer.get("Deleted", [])}
        return [
            _deleted(each, told.get((each["Key"], each.get("VersionId")), {}))
            for each in request["Delete"]["Objects"]
            if (each["Key"], each.get("VersionId")) not in failed
        ]
    if operation == "DeleteObject":
        return [_deleted(request, answer)]
    return [Touched(request["Key"], answer.get("VersionId") or request.get("VersionId") or "")]


def _deleted(asked: dict[str, Any], answer: dict[str, Any]) -> Touched:
    """A marker is put where no version was named; to delete one by its id is to delete a version like any other."""
    if asked.get("VersionId"):
        return Touched(asked["Key"], asked["VersionId"])
    marker = answer.get("DeleteMarkerVersionId") or answer.get("VersionId") or ""
    return Touched(asked["Key"], marker, marker=bool(answer.get("DeleteMarker")))


def _happening(store: EmbeddedStore, call: Call, operation: str, bucket: str, touched: Touched) -> Happening:
    name = NAMES[operation]
    if operation == "PutObject" and call.origin.value("s3:authtype") == "POST":
        name = "ObjectCreated:Post"
    if touched.marker:
        name = "ObjectRemoved:DeleteMarkerCreated"
    size, etag = _described(store, bucket, touched) if not name.startswith("ObjectRemoved") else (None, "")
    return Happening(
        name=name,
        operation=operation,
        at=time.time(),
        region=store.view(lambda connection: buckets.find(connection, bucket)).region,
        account=call.scope.account,
        principal=call.principal,
        address=call.origin.value("aws:sourceip") or "",
        request_id=call.request_id,
        bucket=bucket,
        key=touched.key,
        sequence=time.time_ns(),
        size=size,
        etag=etag,
        version_id=touched.version_id,
    )


def _described(store: EmbeddedStore, bucket: str, touched: Touched) -> tuple[int | None, str]:
    """Size and ETag, of an object that may be gone again."""
    key, version_id = key_bytes(touched.key), touched.version_id or None
    try:
        version = store.view(lambda connection: versions.find(connection, bucket, key, version_id))
    except StoreError:
        return None, ""
    return version.size, version.etag
