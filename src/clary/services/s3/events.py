"""What happened to an object, in the two forms in which S3 tells of it.

    Happening ─▶ record   for topics, queues and functions: "Event message structure", version 2.1
              └▶ event    for EventBridge: "Amazon S3 event message structure" of its page

Both in the Amazon S3 User Guide.
"""

import time
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus

from clary.arns import global_arn
from clary.services.s3.names import owner

_DETAIL_TYPES = {
    "ObjectCreated": "Object Created",
    "ObjectRemoved": "Object Deleted",
    "ObjectTagging:Put": "Object Tags Added",
    "ObjectTagging:Delete": "Object Tags Deleted",
    "ObjectAcl:Put": "Object ACL Updated",
}


@dataclass(frozen=True, slots=True)
class Happening:
    name: str
    """`ObjectCreated:Put`, `ObjectRemoved:DeleteMarkerCreated` …"""
    operation: str
    """`PutObject` …"""
    at: float
    region: str
    account: str
    principal: str
    address: str
    """Of who called."""
    request_id: str
    bucket: str
    key: str
    sequence: int
    """Grows with the changes of one key."""
    size: int | None = None
    etag: str = ""
    version_id: str = ""


def record(happening: Happening, configuration_id: str) -> dict[str, Any]:
    """A message of one record."""
    described: dict[str, Any] = {"key": quote_plus(happening.key, safe="/")}
    if happening.size is not None:
        described |= {"size": happening.size, "eTag": happening.etag}
    if happening.version_id:
        described["versionId"] = happening.version_id
    s3 = {
        "s3SchemaVersion": "1.0",
        "configurationId": configuration_id,
        "bucket": {
            "name": happening.bucket,
            "ownerIdentity": {"principalId": owner(happening.account)["ID"]},
            "arn": _arn(happening),
        },
        "object": described | {"sequencer": _sequencer(happening)},
    }
    milliseconds = int(happening.at * 1000) % 1000
    written = {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": happening.region,
        "eventTime": time.strftime(f"%Y-%m-%dT%H:%M:%S.{milliseconds:03}Z", time.gmtime(happening.at)),
        "eventName": happening.name,
        "userIdentity": {"principalId": happening.principal},
        "requestParameters": {"sourceIPAddress": happening.address},
        "responseElements": {"x-amz-request-id": happening.request_id, "x-amz-id-2": happening.request_id},
        "s3": s3,
    }
    return {"Records": [written]}


def event(happening: Happening) -> dict[str, Any]:
    described: dict[str, Any] = {"key": happening.key}
    if happening.size is not None:
        described["size"] = happening.size
    if happening.etag:
        described["etag"] = happening.etag
    if happening.version_id:
        described["version-id"] = happening.version_id
    family, _, kind = happening.name.partition(":")
    detail = {
        "version": "0",
        "bucket": {"name": happening.bucket},
        "object": described | {"sequencer": _sequencer(happening)},
        "request-id": happening.request_id,
        "requester": happening.account,
        "source-ip-address": happening.address,
    }
    if family in ("ObjectCreated", "ObjectRemoved"):
        detail["reason"] = happening.operation
    if family == "ObjectRemoved":
        detail["deletion-type"] = "Delete Marker Created" if kind == "DeleteMarkerCreated" else "Permanently Deleted"
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": _DETAIL_TYPES.get(family) or _DETAIL_TYPES[happening.name],
        "source": "aws.s3",
        "account": happening.account,
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(happening.at)),
        "region": happening.region,
        "resources": [_arn(happening)],
        "detail": detail,
    }


def _arn(happening: Happening) -> str:
    return global_arn("s3", happening.region, "", happening.bucket)


def _sequencer(happening: Happening) -> str:
    return f"{happening.sequence:016X}"
