"""The condition keys of a call, each found when a policy asks for it.

Source: "Condition keys for Amazon S3" in the Service Authorization Reference and "AWS global condition context keys"
in the IAM User Guide. A key `s3:x-amz-…` is the header of that name, so the published model says which there are.
"""

import time
from collections.abc import Sequence
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

from clary.control.call import Call
from clary.objects import uploads, versions
from clary.objects.embedded import EmbeddedStore
from clary.objects.errors import StoreError
from clary.services.iam.roles import role_id
from clary.services.s3.actions import Act
from clary.services.s3.encryption import ENCRYPTION, described
from clary.services.s3.names import key_bytes
from clary.wire.dates import iso_date
from clary.wire.models import service_model

_EXISTING_TAG = "s3:existingobjecttag/"
_REQUEST_TAG = "s3:requestobjecttag/"
_PARAMETERS = ("prefix", "delimiter", "max-keys", "versionId")


class Circumstances:
    """Of one act of a call, as a `Context` of `clary.policies`."""

    def __init__(
        self, store: EmbeddedStore, call: Call, operation: str, request: dict[str, Any], act: Act, role: str
    ) -> None:
        """`role` is the ARN of the role that the caller has assumed, or empty."""
        self._store = store
        self._call = call
        self._request = request
        self._act = act
        self._role = role
        self._members = _members(operation)

    def __call__(self, key: str) -> Sequence[str] | None:
        if key.startswith(_EXISTING_TAG):
            return _one(self._tags_of_object().get(key.removeprefix(_EXISTING_TAG)))
        if key.startswith(_REQUEST_TAG) or key == "s3:requestobjecttagkeys":
            return self._tags_of_request(key)
        if key == "s3:locationconstraint":
            return _one(self._request.get("CreateBucketConfiguration", {}).get("LocationConstraint"))
        if key in self._members:
            return _one(self._of_request(self._members[key]))
        return _one(self._of_caller(key) or self._call.origin.value(key))

    def _of_caller(self, key: str) -> str | None:
        call, principal = self._call, self._call.principal
        account = call.scope.account
        signed = principal.startswith("arn:")
        if key in ("aws:resourceaccount", "s3:resourceaccount"):
            return account
        if key == "aws:principaltype":
            return "AssumedRole" if self._role else "Account" if signed else "Anonymous"
        if key == "aws:requestedregion":
            return call.scope.region
        if key == "aws:currenttime":
            return iso_date(time.time())
        if key == "aws:epochtime":
            return str(int(time.time()))
        if key in ("aws:principalisawsservice", "aws:viaawsservice"):
            return "false"
        if signed and key == "aws:principalaccount":
            return account
        if signed and key == "aws:principalarn":
            return self._role or principal
        if signed and key == "aws:userid":
            return account if not self._role else _session_id(account, self._role, principal)
        return None

    def _of_request(self, member: str) -> str | None:
        value = self._request.get(member)
        if value is None and member in ENCRYPTION and "UploadId" in self._request:
            value = self._encryption_of_upload().get(member)
        return str(value).lower() if isinstance(value, bool) else None if value is None else str(value)

    def _encryption_of_upload(self) -> dict[str, Any]:
        act, upload_id = self._act, self._request["UploadId"]
        try:
            upload = self._store.view(lambda c: uploads.find(c, act.bucket, key_bytes(act.key), upload_id))
        except StoreError:
            return {}
        return described(upload.headers)

    def _tags_of_object(self) -> dict[str, str]:
        act = self._act
        try:
            version = self._store.view(lambda c: versions.find(c, act.bucket, key_bytes(act.key), act.version_id))
        except StoreError:
            return {}
        return {tag["Key"].lower(): tag["Value"] for tag in version.tags}

    def _tags_of_request(self, key: str) -> Sequence[str] | None:
        tagging = self._request.get("Tagging", "")
        if isinstance(tagging, str):
            tags = dict(parse_qsl(tagging, keep_blank_values=True))
        else:
            tags = {tag["Key"]: tag["Value"] for tag in tagging.get("TagSet", [])}
        if key == "s3:requestobjecttagkeys":
            return list(tags) or None
        return _one({name.lower(): value for name, value in tags.items()}.get(key.removeprefix(_REQUEST_TAG)))


def _session_id(account: str, role: str, session: str) -> str:
    return f"{role_id(account, role.rpartition('/')[2])}:{session.rpartition('/')[2]}"


@cache
def _members(operation: str) -> dict[str, str]:
    """Condition key → the member of the request that has its value."""
    shape = service_model("s3").operation_model(operation).input_shape
    found = {}
    for member, member_shape in shape.members.items() if shape else ():
        traits = member_shape.serialization
        name = traits.get("name", member)
        if traits.get("location") == "header" and name.startswith("x-amz-"):
            found[f"s3:{name.lower()}"] = member
            if name.startswith("x-amz-object-lock-"):
                found[f"s3:{name.removeprefix('x-amz-')}"] = member
        elif traits.get("location") == "querystring" and name in _PARAMETERS:
            found[f"s3:{name.lower()}"] = member
    if shape and "UploadId" in shape.members:
        # A part says nothing of encryption: its upload did.
        started = _members("CreateMultipartUpload")
        found = {key: member for key, member in started.items() if member in ENCRYPTION} | found
    return found


def _one(value: str | None) -> Sequence[str] | None:
    return None if value is None else (value,)
