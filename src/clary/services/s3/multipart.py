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
from clary.objects import uploads, versions
from clary.objects.bodies import Extent
from clary.objects.buckets import Bucket
from clary.objects.checksums import CRCS, DEFAULT
from clary.objects.embedded import EmbeddedStore
from clary.objects.errors import StoreError
from clary.objects.ingest import Ingested
from clary.objects.listing import UPLOADS, Page, read_page
from clary.objects.uploads import Part, Upload
from clary.objects.versions import Content
from clary.services.s3 import encryption
from clary.services.s3.conditions import write_guard
from clary.services.s3.described import STANDARD, kept_headers, quoted, written
from clary.services.s3.handler import s3_operation
from clary.services.s3.integrity import algorithm_of, settlement, supported
from clary.services.s3.joining import chosen_parts, invalid_part, joined_checksums, joined_etag
from clary.services.s3.listing import LONGEST_PAGE, common, query_of, spelled
from clary.services.s3.lookup import named_bucket
from clary.services.s3.names import key_of, owner, part_number
from clary.services.s3.objects import check_size
from clary.services.s3.protection import protection
from clary.services.s3.tagging import tags_of


@s3_operation("CreateMultipartUpload")
def create_multipart_upload(store: EmbeddedStore, call: Call, request: dict[str, Any]) -> dict[str, Any]:
    key, headers, tags = key_of(request), kept_headers(request), tags_of(request)
    headers |= protection(store, call, request)
    algorithm = supported(request.get("ChecksumAlgorithm") or DEFAULT)
    checksum_type = _checksum_type(algorithm, request.get("ChecksumType"))

    def start(connection: Connection) -> Upload:
        bucket = named_bucket(connection, request)
        return uploads.start(connection, bucket.name, key, headers, tags, algorithm, checksum_type)

    upload = store.change(start)
    result = {"Bucket": upload.bucket, "Key": request["Key"], "UploadId": upload.id, **encryption.described(headers)}
    if request.get("ChecksumAlgorithm"):
        result |= {"ChecksumAlgorithm": algorithm, "ChecksumType": checksum_type}
    return result


def _checksum_type(algorithm: str, asked: str | None) -> str:
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
    algorithms = {upload.algorithm, algorithm_of({"ChecksumAlgorithm": upload.algorithm} | request)}

    def put(connection: Connection, received: Ingested) -> Part:
        part = part_of(number, received)
        put_part(connection, request, part)
        return part

    part = await store.take_in(request["Body"], algorithms, settlement(request, upload.algorithm), put)
    return {"ETag": quoted(part.etag), **part.checksums, **encryption.described(upload.headers)}


@s3_operation("CompleteMultipartUpload")
def complete_multipart_upload(store: EmbeddedStore, call: Call, request: dict[str, Any]) -> dict[str, Any]:
    upload, uploaded = store.view(partial(_load, request=request))
    chosen = chosen_parts(request, uploaded)
    checksums = joined_checksums(request, upload, chosen)
    body = store.bodies.concatenate(Extent(part.body, 0, part.size) for part in chosen)
    content = Content(
        body=body,
        size=sum(part.size for part in chosen),
        etag=joined_etag(chosen),
        headers=upload.headers,
        checksums=checksums,
        tags=upload.tags,
        parts=[{"PartNumber": part.number, "Size": part.size, **part.checksums} for part in chosen],
    )

    def complete(connection: Connection) -> dict[str, Any]:
        bucket = named_bucket(connection, request)
        current, now_uploaded = _load(connection, request)
        if chosen_parts(request, now_uploaded) != chosen:
            raise invalid_part()  # another with the same content was put in its place while this was joined
        version = versions.put(connection, bucket, upload.key, content, write_guard(request, upload.key))
        uploads.remove(connection, current)
        return written(bucket, version)

    location = f"{call.endpoint}/{upload.bucket}/{quote(request['Key'])}"
    return {
        "Location": location,
        "Bucket": upload.bucket,
        "Key": request["Key"],
        **store.change(complete, body),
    }


@s3_operation("AbortMultipartUpload")
def abort_multipart_upload(store: EmbeddedStore, _call: Call, request: dict[str, Any]) -> None:
    store.change(lambda connection: uploads.remove(connection, named_upload(connection, request)))


@s3_operation("ListParts")
def list_parts(store: EmbeddedStore, _call: Call, request: dict[str, Any]) -> dict[str, Any]:
    marker, most = request.get("PartNumberMarker", 0), min(request.get("MaxParts", 1000), 1000)
    bucket = store.view(partial(named_bucket, request=request))
    upload, parts = store.view(partial(_load, request=request, after=marker, limit=most + 1))
    shown = parts[:most]
    result = {
        "Bucket": upload.bucket,
        "Key": request["Key"],
        "UploadId": upload.id,
        "PartNumberMarker": marker,
        "MaxParts": most,
        "IsTruncated": len(parts) > most,
        "Initiator": owner(bucket.account),
        "Owner": owner(bucket.account),
        "StorageClass": upload.headers.get("StorageClass", STANDARD),
        "ChecksumAlgorithm": upload.algorithm,
        "ChecksumType": upload.checksum_type,
        "Parts": [
            {
                "PartNumber": part.number,
                "LastModified": part.modified,
                "ETag": quoted(part.etag),
                "Size": part.size,
                **part.checksums,
            }
            for part in shown
        ],
    }
    if shown:
        result["NextPartNumberMarker"] = shown[-1].number
    return result


@s3_operation("ListMultipartUploads")
def list_multipart_uploads(store: EmbeddedStore, _call: Call, request: dict[str, Any]) -> dict[str, Any]:
    key_marker, id_marker = request.get("KeyMarker", ""), request.get("UploadIdMarker", "")

    def read(connection: Connection) -> tuple[Bucket, Page[Upload]]:
        bucket = named_bucket(connection, request)
        key = key_marker.encode()
        row = uploads.find(connection, bucket.name, key, id_marker) if key and id_marker else None
        return bucket, read_page(connection, UPLOADS, query_of(request, "MaxUploads", key, row))

    bucket, page = store.view(read)
    result = common(request, page) | {
        "Bucket": bucket.name,
        "KeyMarker": spelled(request, key_marker),
        "UploadIdMarker": id_marker,
        "MaxUploads": min(request.get("MaxUploads", LONGEST_PAGE), LONGEST_PAGE),
        "Uploads": [
            {
                "Key": spelled(request, upload.key.decode()),
                "UploadId": upload.id,
                "Initiated": upload.started,
                "StorageClass": upload.headers.get("StorageClass", STANDARD),
                "Owner": owner(bucket.account),
                "Initiator": owner(bucket.account),
                "ChecksumAlgorithm": upload.algorithm,
                "ChecksumType": upload.checksum_type,
            }
            for upload in page.rows
        ],
    }
    if page.truncated:
        result["NextKeyMarker"] = spelled(request, page.last.decode())
        if page.rows and page.rows[-1].key == page.last:
            result["NextUploadIdMarker"] = page.rows[-1].id
    return result


def part_of(number: int, received: Ingested) -> Part:
    return Part(number, received.body, received.size, received.etag, time(), received.checksums)


def put_part(connection: Connection, request: dict[str, Any], part: Part) -> None:
    uploads.put_part(connection, named_upload(connection, request), part)


def named_upload(connection: Connection, request: dict[str, Any]) -> Upload:
    bucket = named_bucket(connection, request)
    return uploads.find(connection, bucket.name, key_of(request), request["UploadId"])


def _load(
    connection: Connection, request: dict[str, Any], after: int = 0, limit: int | None = None
) -> tuple[Upload, list[Part]]:
    upload = named_upload(connection, request)
    return upload, uploads.parts_of(connection, upload, after, limit)
