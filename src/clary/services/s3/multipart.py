"""Multipart uploads: parts arrive in any order and become one object when the client says so.

CreateMultipartUpload ─▶ UploadPart, UploadPartCopy … ─▶ CompleteMultipartUpload   load: upload and parts
                                                    │                              act:  one body of many
                                                    └─▶ AbortMultipartUpload       apply: if still the same
"""

from functools import partial
from time import time
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection

from clary.control.call import Call
from clary.objects import completed, uploads, versions
from clary.objects.bodies import Extent
from clary.objects.checksums import CRCS, DEFAULT
from clary.objects.embedded import EmbeddedStore
from clary.objects.errors import StoreError
from clary.objects.ingest import Ingested
from clary.objects.uploads import Part, Upload
from clary.objects.versions import Content
from clary.services.s3 import encryption
from clary.services.s3.conditions import write_guard
from clary.services.s3.described import kept_headers, quoted, written
from clary.services.s3.handler import s3_operation
from clary.services.s3.integrity import algorithm_of, settlement, supported
from clary.services.s3.joining import chosen_parts, invalid_part, joined_checksums, joined_etag, lists_the_parts_of
from clary.services.s3.lifecycle.due import told_abortion, told_expiry
from clary.services.s3.lookup import named_bucket
from clary.services.s3.names import key_of, part_number
from clary.services.s3.objects import check_size
from clary.services.s3.protection import protection
from clary.services.s3.tagging import tags_of


@s3_operation("CreateMultipartUpload")
def create_multipart_upload(store: EmbeddedStore, call: Call, request: dict[str, Any]) -> dict[str, Any]:
    key, headers, tags = key_of(request), kept_headers(request), tags_of(request)
    headers |= protection(store, call, request)
    algorithm = supported(request.get("ChecksumAlgorithm") or DEFAULT)
    checksum_type = _checksum_type(request, algorithm)

    def start(connection: Connection) -> Upload:
        bucket = named_bucket(connection, request)
        return uploads.start(connection, bucket.name, key, headers, tags, algorithm, checksum_type)

    upload = store.change(start)
    result = {"Bucket": upload.bucket, "Key": request["Key"], "UploadId": upload.id, **encryption.described(headers)}
    if request.get("ChecksumAlgorithm"):
        result |= {"ChecksumAlgorithm": algorithm, "ChecksumType": checksum_type}
    return result | told_abortion(store, upload)


def _checksum_type(request: dict[str, Any], algorithm: str) -> str:
    asked: str | None = request.get("ChecksumType")
    if asked and not request.get("ChecksumAlgorithm"):
        message = "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header."
        raise StoreError("InvalidRequest", message)
    if asked not in (None, "COMPOSITE", "FULL_OBJECT"):
        raise StoreError("InvalidRequest", "Value for x-amz-checksum-type header is invalid.")
    possible: tuple[str, ...]
    if algorithm == "CRC64NVME":
        possible = ("FULL_OBJECT",)
    elif algorithm in CRCS:
        possible = ("COMPOSITE", "FULL_OBJECT")
    else:
        possible = ("COMPOSITE",)
    if asked and asked not in possible:
        raise StoreError(
            "InvalidRequest",
            f"The {asked} checksum type cannot be used with the {algorithm.lower()} checksum algorithm.",
        )
    return asked or possible[0]


@s3_operation("UploadPart")
async def upload_part(store: EmbeddedStore, _call: Call, request: dict[str, Any]) -> dict[str, Any]:
    number = part_number(request)
    check_size(request)
    upload = await store.look(partial(named_upload, request=request))
    algorithms = {upload.algorithm, _part_algorithm(request, upload)}

    def put(connection: Connection, received: Ingested) -> Part:
        part = part_of(number, received)
        put_part(connection, request, part)
        return part

    part = await store.take_in(request["Body"], algorithms, settlement(request, upload.algorithm), put)
    return {"ETag": quoted(part.etag), **part.checksums, **encryption.described(upload.headers)}


def _part_algorithm(request: dict[str, Any], upload: Upload) -> str:
    named = algorithm_of({"ChecksumAlgorithm": upload.algorithm} | request)
    # The default is what nobody chose: then any will do.
    if named != upload.algorithm != DEFAULT:
        raise StoreError(
            "InvalidRequest",
            f"Checksum Type mismatch occurred, expected checksum Type: {upload.algorithm.lower()}, actual checksum "
            f"Type: {named.lower()}",
        )
    return named


@s3_operation("CompleteMultipartUpload")
def complete_multipart_upload(store: EmbeddedStore, call: Call, request: dict[str, Any]) -> dict[str, Any]:
    try:
        answer = _complete(store, request)
    except StoreError as error:
        before = store.view(partial(_answered_before, request=request)) if error.code == "NoSuchUpload" else None
        if before is None:
            raise
        answer = before
    location = f"{call.endpoint}/{request['Bucket']}/{quote(request['Key'])}"
    return {"Location": location, "Bucket": request["Bucket"], "Key": request["Key"], **answer}


def _complete(store: EmbeddedStore, request: dict[str, Any]) -> dict[str, Any]:
    upload, uploaded = store.view(partial(load, request=request))
    chosen = chosen_parts(request, uploaded)
    checksums = joined_checksums(request, upload, chosen)
    body = store.bodies.concatenate(Extent(part.body, 0, part.size) for part in chosen)
    content = Content(
        body=body,
        size=sum(part.size for part in chosen),
        etag=joined_etag([part.etag for part in chosen]),
        headers=upload.headers,
        checksums=checksums,
        tags=upload.tags,
        parts=[{"PartNumber": part.number, "Size": part.size, **part.checksums} for part in chosen],
    )

    def complete(connection: Connection) -> dict[str, Any]:
        bucket = named_bucket(connection, request)
        current, now_uploaded = load(connection, request)
        if chosen_parts(request, now_uploaded) != chosen:
            raise invalid_part(request)  # another with the same content was put in its place while this was joined
        version = versions.put(connection, bucket, upload.key, content, write_guard(request, upload.key))
        uploads.remove(connection, current)
        answer = written(bucket, version) | told_expiry(store, version)
        completed.remember(connection, current, answer)
        return answer

    return store.change(complete, body)


def _answered_before(connection: Connection, request: dict[str, Any]) -> dict[str, Any] | None:
    bucket = named_bucket(connection, request)
    answer = completed.recall(connection, bucket.name, key_of(request), request["UploadId"])
    return answer if answer and lists_the_parts_of(request, answer["ETag"].strip('"')) else None


@s3_operation("AbortMultipartUpload")
def abort_multipart_upload(store: EmbeddedStore, _call: Call, request: dict[str, Any]) -> None:
    store.change(lambda connection: uploads.remove(connection, named_upload(connection, request)))


def part_of(number: int, received: Ingested) -> Part:
    return Part(number, received.body, received.size, received.etag, time(), received.checksums)


def put_part(connection: Connection, request: dict[str, Any], part: Part) -> None:
    uploads.put_part(connection, named_upload(connection, request), part)


def named_upload(connection: Connection, request: dict[str, Any]) -> Upload:
    bucket = named_bucket(connection, request)
    return uploads.find(connection, bucket.name, key_of(request), request["UploadId"])


def load(
    connection: Connection, request: dict[str, Any], after: int = 0, limit: int | None = None
) -> tuple[Upload, list[Part]]:
    upload = named_upload(connection, request)
    return upload, uploads.parts_of(connection, upload, after, limit)
