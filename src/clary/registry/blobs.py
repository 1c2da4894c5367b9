"""Which repository has which blob. Functions of an open transaction."""

import time
from collections.abc import Collection

from sqlalchemy import Connection, delete, exists, insert, select, update

from clary.registry.errors import BlobInUse, BlobUnknown, UploadUnknown
from clary.registry.tables import blobs, references, uploads


def size_of(connection: Connection, repository: str, digest: str) -> int:
    """Raises `BlobUnknown`."""
    found = sizes_of(connection, repository, [digest])
    if digest not in found:
        raise BlobUnknown(f"the repository has no blob {digest}")
    return found[digest]


def sizes_of(connection: Connection, repository: str, digests: Collection[str]) -> dict[str, int]:
    """Of those that the repository has."""
    column = blobs.c
    query = select(column.digest, column.size).where(column.repository == repository, column.digest.in_(digests))
    return {row.digest: row.size for row in connection.execute(query)}


def size_anywhere(connection: Connection, digest: str) -> int | None:
    """None where no repository has the blob."""
    size: int | None = connection.execute(select(blobs.c.size).where(blobs.c.digest == digest).limit(1)).scalar()
    return size


def are_none(connection: Connection) -> bool:
    return connection.execute(select(blobs.c.digest).limit(1)).first() is None


def give(connection: Connection, repository: str, digest: str, size: int) -> None:
    """The repository has the blob from now on."""
    if not use(connection, repository, [digest]):
        connection.execute(insert(blobs).values(repository=repository, digest=digest, size=size, used=time.time()))


def use(connection: Connection, repository: str, digests: Collection[str]) -> int:
    """Keep blobs from being swept for a while; how many of them there are."""
    chosen = (blobs.c.repository == repository) & blobs.c.digest.in_(digests)
    return connection.execute(update(blobs).where(chosen).values(used=time.time())).rowcount


def remove(connection: Connection, repository: str, digest: str) -> None:
    """Raises `BlobUnknown` and `BlobInUse`."""
    size_of(connection, repository, digest)
    naming = select(references.c.image).where(references.c.repository == repository, references.c.child == digest)
    image = connection.execute(naming.limit(1)).scalar()
    if image is not None:
        raise BlobInUse(f"the image {image} names the blob {digest}: delete it first")
    connection.execute(delete(blobs).where(blobs.c.repository == repository, blobs.c.digest == digest))


def drop_unnamed(connection: Connection, before: float) -> int:
    """Take from repositories the blobs that were not used since, and that no image of theirs names."""
    of_image = (references.c.repository == blobs.c.repository) & (references.c.child == blobs.c.digest)
    unnamed = ~exists().where(of_image)
    return connection.execute(delete(blobs).where(blobs.c.used < before, unnamed)).rowcount


def begin_upload(connection: Connection, upload: str, repository: str) -> None:
    connection.execute(insert(uploads).values(id=upload, repository=repository, started=time.time()))


def check_upload(connection: Connection, upload: str, repository: str) -> None:
    """Raises `UploadUnknown`."""
    found = select(uploads.c.id).where(uploads.c.id == upload, uploads.c.repository == repository)
    if connection.execute(found).first() is None:
        raise UploadUnknown(f"there is no upload {upload} to this repository")


def end_upload(connection: Connection, upload: str) -> None:
    connection.execute(delete(uploads).where(uploads.c.id == upload))
