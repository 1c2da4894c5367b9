"""Any S3 service in place of the embedded store: AWS itself, SeaweedFS, MinIO, Ceph …

Its clients speak to it directly; Clary itself reads and writes through boto3, and jobs read by
presigned URLs.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from clary.objects.archive import ARCHIVED
from clary.objects.base import ObjectInfo
from clary.objects.errors import ObjectArchived
from clary.settings import Settings

URL_LIFETIME = 7 * 24 * 3600
"""Seconds that a presigned URL holds: the longest that SigV4 allows, for jobs that read as they go."""

_MISSING = frozenset({"NoSuchKey", "NoSuchBucket", "404"})


class ExternalStore:
    """An `ObjectStore` over S3. Without keys in the settings, boto3's own search for credentials applies."""

    def __init__(self, settings: Settings) -> None:
        self._own = f"clary-{settings.account}-{settings.region}"
        self._client: Any = boto3.client(
            "s3",
            endpoint_url=settings.s3_endpoint,
            region_name=settings.region,
            aws_access_key_id=settings.s3_access_key,
            aws_secret_access_key=settings.s3_secret_key,
            config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
        )

    def list(self, bucket: str, prefix: str) -> Iterator[ObjectInfo]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        with _as_contract(bucket, prefix):
            for page in pages:
                for item in page.get("Contents", ()):
                    yield _info(item["Key"], item["Size"], item)

    def find(self, bucket: str, key: str) -> ObjectInfo:
        with _as_contract(bucket, key):
            head = self._client.head_object(Bucket=bucket, Key=key)
        return _info(key, head["ContentLength"], head)

    def locate(self, bucket: str, key: str) -> str:
        with _as_contract(bucket, key):
            head = self._client.head_object(Bucket=bucket, Key=key)
        if head.get("StorageClass") in ARCHIVED and 'ongoing-request="false"' not in head.get("Restore", ""):
            raise ObjectArchived(f"s3://{bucket}/{key}")
        return self._presigned("get_object", bucket, key)

    def destination(self, bucket: str, key: str) -> str:
        return self._presigned("put_object", bucket, key)

    def form(self, bucket: str, prefix: str) -> tuple[str, dict[str, str]]:
        form = self._client.generate_presigned_post(bucket, f"{prefix}${{filename}}", ExpiresIn=URL_LIFETIME)
        return form["url"], form["fields"]

    def read(self, bucket: str, key: str) -> bytes:
        with _as_contract(bucket, key):
            content: bytes = self._client.get_object(Bucket=bucket, Key=key)["Body"].read()
        return content

    def adopt(
        self,
        bucket: str,
        key: str,
        path: Path,
        etag: str = "",  # noqa: ARG002 - it makes its own
        content_type: str = "",
    ) -> ObjectInfo:
        extra = {"ContentType": content_type} if content_type else None
        with _as_contract(bucket, key), path.open("rb") as file:
            self._client.upload_fileobj(file, bucket, key, ExtraArgs=extra)
        return self.find(bucket, key)

    def _presigned(self, method: str, bucket: str, key: str) -> str:
        url: str = self._client.generate_presigned_url(
            method, Params={"Bucket": bucket, "Key": key}, ExpiresIn=URL_LIFETIME
        )
        return url

    def remove(self, bucket: str, key: str) -> None:
        with _as_contract(bucket, key):
            self._client.delete_object(Bucket=bucket, Key=key)

    def own_bucket(self) -> str:
        try:
            self._client.head_bucket(Bucket=self._own)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _MISSING:
                raise
            region = self._client.meta.region_name
            place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
            self._client.create_bucket(Bucket=self._own, **place)
        return self._own


def _info(key: str, size: int, document: dict[str, Any]) -> ObjectInfo:
    return ObjectInfo(
        key, size, document["ETag"].strip('"'), document["LastModified"].timestamp(), document.get("ContentType", "")
    )


@contextmanager
def _as_contract(bucket: str, key: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] in _MISSING:
            raise KeyError(f"s3://{bucket}/{key}") from error
        if error.response["Error"]["Code"] == "InvalidObjectState":
            raise ObjectArchived(f"s3://{bucket}/{key}") from error
        raise
