"""Whether a body is the one that its sender meant: Content-MD5 and the checksums of the API.

A checksum comes in the request's head or, for a body sent in signed or unsigned chunks, in the trailer
behind it.
"""

from base64 import b64decode
from typing import Any

from clary.objects.checksums import ALGORITHMS, DEFAULT, carried, encoded
from clary.objects.errors import StoreError, bad_digest
from clary.objects.ingest import Settle, Sink
from clary.wire.models import service_model

_TRAILER = "x-amz-checksum-"


def algorithm_of(request: dict[str, Any]) -> str:
    """The algorithm that the client names or sends a checksum of; else S3's own default."""
    sent = next(iter(carried(request)), None)
    return supported(sent or request.get("ChecksumAlgorithm") or DEFAULT)


def supported(algorithm: str) -> str:
    if algorithm not in ALGORITHMS:
        known = ", ".join(ALGORITHMS)
        if algorithm not in service_model("s3").shape_for("ChecksumAlgorithm").enum:
            raise StoreError(
                "InvalidRequest",
                f"Checksum algorithm provided is unsupported. Please try again with any of the valid types: [{known}]",
            )
        raise StoreError("NotImplemented", f"The checksum algorithm {algorithm} is not one of {known}.", 501)
    return algorithm


def settlement(request: dict[str, Any], keep: str) -> Settle:
    """Compares a received body with the request's digests, and keeps the checksum by `keep` and those sent."""
    sent = carried(request)
    if len(sent) > 1:
        raise StoreError(
            "InvalidRequest",
            "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
        )
    for name, value in sent.items():
        if not _is_digest(value, len(ALGORITHMS[name]().digest())):
            raise StoreError("InvalidRequest", f"Value for {_TRAILER}{name.lower()} header is invalid.")
    md5 = request.get("ContentMD5")
    if md5 is not None and not _is_digest(md5, 16):
        raise StoreError("InvalidDigest", "The Content-MD5 you specified is not valid.")

    def settle(sink: Sink) -> dict[str, str]:
        if md5 is not None and md5 != encoded(sink.digest("MD5")):
            raise bad_digest("MD5")
        promised = sent | _trailing(request.get("Body"))
        for name, value in promised.items():
            if value != encoded(sink.digest(name)):
                raise bad_digest(name)
        return {f"Checksum{name}": encoded(sink.digest(name)) for name in (*promised, keep)}

    return settle


def _trailing(body: Any) -> dict[str, str]:
    trailers: dict[str, str] = getattr(body, "trailers", {})
    return {
        supported(name.removeprefix(_TRAILER).upper()): value
        for name, value in trailers.items()
        if name.startswith(_TRAILER)
    }


def _is_digest(value: str, size: int) -> bool:
    try:
        return len(b64decode(value, validate=True)) == size
    except ValueError:
        return False
