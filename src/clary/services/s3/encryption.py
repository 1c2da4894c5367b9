"""What encryption an object is said to have: what its request asked for, else what its bucket gives by default.

Nothing is encrypted here beyond what the disk does; the settings are kept and told, as a program that asks for them
checks. Source: "Setting default server-side encryption behavior for Amazon S3 buckets" in the Amazon S3 User Guide.
"""

import uuid
from typing import Any

from clary.control.call import Call
from clary.objects.embedded import EmbeddedStore
from clary.objects.errors import StoreError
from clary.wire.refusals import malformed_xml

AES256 = "AES256"
ALGORITHMS = (AES256, "aws:kms", "aws:kms:dsse")
"""Those that a client may ask for; the model's others are what AWS's own services write."""
DOCUMENT = "BucketEncryption"
ENCRYPTION = ("ServerSideEncryption", "SSEKMSKeyId", "BucketKeyEnabled")

DEFAULT: dict[str, Any] = {
    "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": AES256}, "BucketKeyEnabled": False}]
}
"""Of every bucket, since January 2023."""


def encryption_for(store: EmbeddedStore, call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """What a new object keeps of its encryption: nothing where that is the default of all, AES256."""
    algorithm, key = request.get("ServerSideEncryption"), request.get("SSEKMSKeyId")
    rule = (store.documents.of(request["Bucket"], DOCUMENT) or DEFAULT)["Rules"][0]
    default = rule["ApplyServerSideEncryptionByDefault"]
    if algorithm is None:
        if key is not None:
            raise _needs_kms()
        algorithm = default["SSEAlgorithm"]
        key = default.get("KMSMasterKeyID")
    elif key is not None and not algorithm.startswith("aws:kms"):
        raise _needs_kms()
    if algorithm == AES256:
        return {}
    if algorithm not in ALGORITHMS:
        message = "The encryption method specified is not supported"
        header = "x-amz-server-side-encryption"
        raise StoreError("InvalidArgument", message, ArgumentName=header, ArgumentValue=algorithm)
    kept = {"ServerSideEncryption": algorithm, "SSEKMSKeyId": key_arn(call, key)}
    # Keys of a bucket save calls to KMS, and do not go with encryption in two layers.
    if request.get("BucketKeyEnabled", rule["BucketKeyEnabled"]) and algorithm == "aws:kms":
        kept["BucketKeyEnabled"] = True
    return kept


def described(headers: dict[str, Any]) -> dict[str, Any]:
    """What is said of an object, or of an upload, that keeps `headers`."""
    kept = {member: headers[member] for member in ENCRYPTION if member in headers}
    return {"ServerSideEncryption": AES256} | kept


def key_arn(call: Call, key: str | None) -> str:
    """A KMS key as answers name it. Without one it is the key that AWS manages for S3: made up, but the same always."""
    if key is None:
        scope = call.scope
        key = str(uuid.uuid5(uuid.NAMESPACE_OID, f"alias/aws/s3 {scope.account} {scope.region}"))
    if key.startswith("arn:"):
        return key
    return call.arn("kms", key if key.startswith("alias/") else f"key/{key}")


def checked_encryption(_store: EmbeddedStore, _bucket: str, configuration: dict[str, Any]) -> dict[str, Any]:
    rules = configuration["Rules"]
    if len(rules) != 1 or "ApplyServerSideEncryptionByDefault" not in rules[0]:
        raise malformed_xml()
    [rule] = rules
    default = rule["ApplyServerSideEncryptionByDefault"]
    if default["SSEAlgorithm"] not in ALGORITHMS:
        raise malformed_xml()
    if "KMSMasterKeyID" in default and not default["SSEAlgorithm"].startswith("aws:kms"):
        raise StoreError(
            "InvalidArgument",
            "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse",
            ArgumentName="ApplyServerSideEncryptionByDefault",
        )
    if rule.get("BlockedEncryptionTypes"):
        # Keys of customers are refused in any case: to block them changes nothing, to allow them cannot be kept.
        blocked = rule["BlockedEncryptionTypes"].get("EncryptionType", [])
        if blocked != ["SSE-C"]:
            raise StoreError("NotImplemented", "Clary does not do server-side encryption with customer keys.", 501)
    return {"Rules": [{"BucketKeyEnabled": False, **rule}]}


def _needs_kms() -> StoreError:
    return StoreError(
        "InvalidArgument",
        "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms",
        ArgumentName="x-amz-server-side-encryption",
    )
