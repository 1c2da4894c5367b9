"""Listings of multipart uploads and of the parts of one."""

from functools import partial
from typing import Any

from sqlalchemy import Connection

from clary.control.call import Call
from clary.objects import uploads
from clary.objects.buckets import Bucket
from clary.objects.embedded import EmbeddedStore
from clary.objects.listing import UPLOADS, Page, Query, read_page
from clary.objects.uploads import Upload
from clary.services.s3.described import STANDARD, quoted
from clary.services.s3.handler import s3_operation
from clary.services.s3.lifecycle.due import told_abortion
from clary.services.s3.listing import common, number_from, page_size, query_of, spelled
from clary.services.s3.lookup import named_bucket
from clary.services.s3.multipart import load
from clary.services.s3.names import owner


@s3_operation("ListParts")
def list_parts(store: EmbeddedStore, _call: Call, request: dict[str, Any]) -> dict[str, Any]:
    marker, most = number_from(request, "PartNumberMarker", 0), page_size(request, "MaxParts")
    bucket = store.view(partial(named_bucket, request=request))
    upload, parts = store.view(partial(load, request=request, after=marker, limit=most + 1))
    shown = parts[:most]
    return {
        "Bucket": upload.bucket,
        "Key": request["Key"],
        "UploadId": upload.id,
        **told_abortion(store, upload),
        "PartNumberMarker": marker,
        "MaxParts": most,
        "NextPartNumberMarker": shown[-1].number if shown else 0,
        "IsTruncated": len(parts) > most > 0,
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


@s3_operation("ListMultipartUploads")
def list_multipart_uploads(store: EmbeddedStore, _call: Call, request: dict[str, Any]) -> dict[str, Any]:
    key_marker, id_marker = request.get("KeyMarker", ""), request.get("UploadIdMarker", "")

    def read(connection: Connection) -> tuple[Bucket, Page[Upload]]:
        bucket = named_bucket(connection, request)
        query: Query[Upload] = query_of(request, "MaxUploads", key_marker.encode())
        if key_marker and id_marker:
            query = query.behind(uploads.look_up(connection, bucket.name, query.after, id_marker))
        return bucket, read_page(connection, UPLOADS, query)

    bucket, page = store.view(read)
    result = common(request, page) | {
        "Bucket": bucket.name,
        "KeyMarker": spelled(request, key_marker),
        "UploadIdMarker": id_marker,
        "MaxUploads": page_size(request, "MaxUploads"),
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
