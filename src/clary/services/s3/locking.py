"""Object Lock: a bucket that may lock versions, how long new ones are retained, and the lock of each version.

    bucket    PutObjectLockConfiguration ─▶ document, in memory ─▶ new versions' retention
    version   the headers of a write, PutObjectRetention, PutObjectLegalHold ─▶ `clary.objects.locks` guards it

Source: "Locking objects with Object Lock" in the Amazon S3 User Guide.
"""

import time
from functools import partial
from typing import Any

from sqlalchemy import Connection

from clary.control.call import Call
from clary.objects import buckets, versions
from clary.objects.checksums import carried
from clary.objects.embedded import EmbeddedStore
from clary.objects.errors import StoreError
from clary.objects.locks import (
    DAYS_IN,
    HOLD,
    LOCK,
    LOCKING,
    MODE,
    MODES,
    UNTIL,
    check_retention,
    default_retention,
    retention,
)
from clary.objects.versions import Version
from clary.services.s3.handler import s3_operation
from clary.services.s3.lookup import named_bucket, named_object
from clary.wire.refusals import malformed_xml

BYPASS = "BypassGovernanceRetention"

_STATUSES = ("ON", "OFF")
_MOST = {"Days": 36_500, "Years": 100}


@s3_operation("PutObjectLockConfiguration")
def put_object_lock_configuration(store: EmbeddedStore, _call: Call, request: dict[str, Any]) -> None:
    configuration = request.get(LOCKING, {})
    if configuration.get("ObjectLockEnabled") != "Enabled":
        raise malformed_xml()
    _check_default(configuration.get("Rule"))

    def change(connection: Connection) -> None:
        bucket = named_bucket(connection, request)
        if bucket.versioning != "Enabled":
            message = "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration"
            raise StoreError("InvalidBucketState", message, 409)
        buckets.put_document(connection, bucket.name, LOCKING, configuration)

    store.change_bucket(request["Bucket"], change)


@s3_operation("GetObjectLockConfiguration")
def get_object_lock_configuration(store: EmbeddedStore, _call: Call, request: dict[str, Any]) -> dict[str, Any]:
    bucket = store.view(partial(named_bucket, request=request))
    configuration = store.documents.of(bucket.name, LOCKING)
    if configuration is None:
        message = "Object Lock configuration does not exist for this bucket"
        raise StoreError("ObjectLockConfigurationNotFoundError", message, 404, BucketName=bucket.name)
    return {LOCKING: configuration}


@s3_operation("PutObjectRetention")
def put_object_retention(store: EmbeddedStore, _call: Call, request: dict[str, Any]) -> None:
    wanted = request.get("Retention", {})
    mode, until = wanted.get("Mode"), wanted.get("RetainUntilDate")
    if (mode is None) != (until is None) or mode not in (None, *MODES):
        raise malformed_xml()
    _check_future(until)

    def change(connection: Connection) -> None:
        version = _lockable(store, connection, request)
        check_retention(version, time.time(), bool(request.get(BYPASS)), mode, until)
        others = {name: value for name, value in version.headers.items() if name not in (MODE, UNTIL)}
        versions.set_headers(connection, version, others | retention(mode, until))

    store.change(change)


@s3_operation("GetObjectRetention")
def get_object_retention(store: EmbeddedStore, _call: Call, request: dict[str, Any]) -> dict[str, Any]:
    version = store.view(partial(_lockable, store, request=request))
    if MODE not in version.headers:
        raise _no_lock()
    return {"Retention": {"Mode": version.headers[MODE], "RetainUntilDate": version.headers[UNTIL]}}


@s3_operation("PutObjectLegalHold")
def put_object_legal_hold(store: EmbeddedStore, _call: Call, request: dict[str, Any]) -> None:
    status = request.get("LegalHold", {}).get("Status")
    if status not in _STATUSES:
        raise malformed_xml()

    def change(connection: Connection) -> None:
        version = _lockable(store, connection, request)
        versions.set_headers(connection, version, version.headers | {HOLD: status})

    store.change(change)


@s3_operation("GetObjectLegalHold")
def get_object_legal_hold(store: EmbeddedStore, _call: Call, request: dict[str, Any]) -> dict[str, Any]:
    version = store.view(partial(_lockable, store, request=request))
    if HOLD not in version.headers:
        raise _no_lock()
    return {"LegalHold": {"Status": version.headers[HOLD]}}


def lock_for(store: EmbeddedStore, request: dict[str, Any]) -> dict[str, Any]:
    """What a new version keeps of its lock: what its request asks for, else what its bucket gives by default."""
    configuration = store.documents.of(request["Bucket"], LOCKING)
    asked = {member: request[member] for member in LOCK if request.get(member) is not None}
    if asked:
        if configuration is None:
            raise _not_locking()
        _check_headers(request, asked)
    return asked if MODE in asked else asked | default_retention(configuration, time.time())


def _check_headers(request: dict[str, Any], asked: dict[str, Any]) -> None:
    if (MODE in asked) != (UNTIL in asked):
        message = "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied"
        raise StoreError("InvalidArgument", message)
    if MODE in asked and asked[MODE] not in MODES:
        raise StoreError("InvalidArgument", "Unknown wormMode directive.", ArgumentName="x-amz-object-lock-mode")
    if HOLD in asked and asked[HOLD] not in _STATUSES:
        message = "Legal Hold must be either of 'ON' or 'OFF'"
        raise StoreError("InvalidArgument", message, ArgumentName="x-amz-object-lock-legal-hold")
    _check_future(asked.get(UNTIL))
    checked = carried(request) or request.get("ContentMD5") or request.get("ChecksumAlgorithm")
    if "Body" in request and not checked:
        message = (
            "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters"
        )
        raise StoreError("InvalidRequest", message)


def _check_future(until: float | None) -> None:
    if until is not None and until <= time.time():
        raise StoreError("InvalidArgument", "The retain until date must be in the future!")


def _check_default(rule: dict[str, Any] | None) -> None:
    if rule is None:
        return
    default = rule.get("DefaultRetention", {})
    units = set(default) & set(DAYS_IN)
    if default.get("Mode") not in MODES or len(units) != 1:
        raise malformed_xml()
    if "DefaultEventHold" in default:
        raise StoreError("NotImplemented", "Clary does not do event holds.", 501)
    (unit,) = units
    if not 0 < default[unit] <= _MOST[unit]:
        positive = "Default retention period must be a positive integer value."
        message = positive if default[unit] <= 0 else "Default retention period is too large."
        raise StoreError("InvalidArgument", message, ArgumentName=unit, ArgumentValue=default[unit])


def _lockable(store: EmbeddedStore, connection: Connection, request: dict[str, Any]) -> Version:
    bucket, version = named_object(connection, request)
    if store.documents.of(bucket.name, LOCKING) is None:
        raise _not_locking()
    return version


def _not_locking() -> StoreError:
    return StoreError("InvalidRequest", "Bucket is missing Object Lock Configuration")


def _no_lock() -> StoreError:
    message = "The specified object does not have a ObjectLock configuration"
    return StoreError("NoSuchObjectLockConfiguration", message, 404)
