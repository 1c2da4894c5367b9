"""The contract of an object store, as the platform itself uses it.

The embedded store (`embedded.py`) also serves the S3 API; an external one (`external.py`) is any S3 endpoint.
Methods may block and are called from worker threads. A missing bucket or key raises `KeyError` with `s3://bucket/key`
as its argument, an object in an archive that was not restored `ObjectArchived` (`errors.py`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    key: str
    size: int
    etag: str
    """Without quotes. Who adopts a file may name one, which a store that makes its own passes over."""
    modified: float
    content_type: str = ""
    """Where one object was asked for."""


class ObjectStore(Protocol):
    def list(self, bucket: str, prefix: str) -> Iterator[ObjectInfo]:
        """Current objects whose keys begin with `prefix`, in UTF-8 byte order of keys."""
        ...

    def find(self, bucket: str, key: str) -> ObjectInfo: ...

    def locate(self, bucket: str, key: str) -> str:
        """Where an instance reads the object: an absolute path of an immutable file of this disk, which it may link and
        never write, or a presigned http(s) URL."""
        ...

    def destination(self, bucket: str, key: str) -> str | None:
        """A presigned URL to which an instance PUTs the object; None where the platform's own S3 is to take it."""
        ...

    def form(self, bucket: str, prefix: str) -> tuple[str, dict[str, str]] | None:
        """URL and fields of a signed form, by which it POSTs objects of any `key` below `prefix`; None as above."""
        ...

    def read(self, bucket: str, key: str) -> bytes:
        """A small object, whole."""
        ...

    def adopt(self, bucket: str, key: str, path: Path, etag: str = "", content_type: str = "") -> ObjectInfo:
        """Store the file at `path`, durably. It stays, and may be the stored body now: nobody may write to it."""
        ...

    def remove(self, bucket: str, key: str) -> None:
        """Delete the object, for good where the bucket keeps no versions; where there is none, nothing."""
        ...

    def own_bucket(self) -> str:
        """The bucket of what the platform keeps for itself, made where it is not there. No S3 call sees it."""
        ...
