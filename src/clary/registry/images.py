"""Images and their tags. Functions of an open transaction.

An image names blobs or, as an index, other images of its repository; what is named cannot be deleted before it.
"""

import time
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, Row, delete, insert, select, update

from clary.registry import blobs
from clary.registry.errors import (
    BlobsMissing,
    ImageExists,
    ImageInUse,
    ImagesMissing,
    ImageUnknown,
    ManifestInvalid,
    TagImmutable,
)
from clary.registry.manifests import Manifest
from clary.registry.tables import images, references, tags


@dataclass(frozen=True, slots=True)
class Image:
    digest: str
    media_type: str
    artifact_type: str
    subject: str | None
    size: int | None
    """Bytes of its layers; None of an index."""
    pushed: float
    pulled: float | None
    annotations: dict[str, str]


_DESCRIBED = [images.c[name] for name in Image.__dataclass_fields__]


def put(
    connection: Connection,
    repository: str,
    manifest: Manifest,
    content: bytes,
    tag: str | None = None,
    movable: bool = True,
    repeatable: bool = True,
) -> None:
    """Keep an image, and have `tag` name it. Where it is not `movable`, a tag that names another image stays there;
    where it is not `repeatable`, an image that is there with that tag is refused.

    Raises `BlobsMissing`, `ImagesMissing`, `ManifestInvalid`, `TagImmutable` and `ImageExists`.
    """
    named = tagged(connection, repository, tag) if tag else None
    there = _is_there(connection, repository, manifest.digest)
    if there and not repeatable and (tag is None or named == manifest.digest):
        raise ImageExists(f"Image with digest '{manifest.digest}' and tag '{tag}' already exists")
    if named is not None and named != manifest.digest and not movable:
        raise TagImmutable(f"the tag {tag!r} names {named} already, and tags of the repository are immutable")
    check_named(connection, repository, manifest)
    if not there:
        _insert(connection, repository, manifest, content)
    if tag:
        connection.execute(delete(tags).where(tags.c.repository == repository, tags.c.tag == tag))
        connection.execute(insert(tags).values(repository=repository, tag=tag, digest=manifest.digest))


def check_named(connection: Connection, repository: str, manifest: Manifest) -> None:
    """What an image names must be there, and is kept from the sweep from now on."""
    named = manifest.blobs
    there = blobs.sizes_of(connection, repository, named)
    if blobs.use(connection, repository, named) != len(named):
        raise BlobsMissing([digest for digest in named if digest not in there])
    for digest, size in manifest.sizes:
        # Whoever reads the image goes by its sizes: what is longer would run into what follows it.
        if size != there[digest]:
            raise ManifestInvalid(f"the blob {digest} has {there[digest]} bytes, and the manifest says {size}")
    missing = [digest for digest in manifest.images if not _is_there(connection, repository, digest)]
    if missing:
        raise ImagesMissing(missing)


def _insert(connection: Connection, repository: str, manifest: Manifest, content: bytes) -> None:
    connection.execute(
        insert(images).values(
            repository=repository,
            digest=manifest.digest,
            media_type=manifest.media_type,
            artifact_type=manifest.artifact_type,
            subject=manifest.subject,
            size=manifest.size,
            pushed=time.time(),
            annotations=orjson.dumps(manifest.annotations).decode(),
            content=content,
        )
    )
    children = {*manifest.blobs, *manifest.images}
    if children:
        rows = [{"repository": repository, "image": manifest.digest, "child": child} for child in children]
        connection.execute(insert(references), rows)


def tagged(connection: Connection, repository: str, tag: str) -> str | None:
    """The digest that a tag names."""
    query = select(tags.c.digest).where(tags.c.repository == repository, tags.c.tag == tag)
    digest: str | None = connection.execute(query).scalar()
    return digest


def resolve(connection: Connection, repository: str, reference: str) -> str:
    """The digest of an image that is there, by its tag or digest. Raises `ImageUnknown`."""
    digest = reference if ":" in reference else tagged(connection, repository, reference)
    if digest is None or not _is_there(connection, repository, digest):
        raise ImageUnknown(f"the repository has no image {reference}")
    return digest


def find(connection: Connection, repository: str, reference: str) -> tuple[Image, bytes]:
    """An image and its manifest, by its tag or digest. Raises `ImageUnknown`."""
    digest = resolve(connection, repository, reference)
    query = select(*_DESCRIBED, images.c.content).where(images.c.repository == repository, images.c.digest == digest)
    row = connection.execute(query).one()
    return _image(row), row.content


def listed(connection: Connection, repository: str) -> list[Image]:
    """In the order in which they came."""
    query = select(*_DESCRIBED).where(images.c.repository == repository).order_by(images.c.pushed, images.c.digest)
    return [_image(row) for row in connection.execute(query)]


def listed_with_tags(connection: Connection, repository: str) -> list[tuple[Image, list[str]]]:
    named: dict[str, list[str]] = {}
    for tag, digest in tags_of(connection, repository).items():
        named.setdefault(digest, []).append(tag)
    return [(image, named.get(image.digest, [])) for image in listed(connection, repository)]


def referrers(connection: Connection, repository: str, subject: str) -> list[tuple[Image, int]]:
    """The images about an image, which need not be there, and the bytes of their manifests."""
    query = select(*_DESCRIBED, images.c.content).where(images.c.repository == repository, images.c.subject == subject)
    return [(_image(row), len(row.content)) for row in connection.execute(query.order_by(images.c.digest))]


def tags_of(connection: Connection, repository: str) -> dict[str, str]:
    """Tag → digest, in the order of tags."""
    query = select(tags.c.tag, tags.c.digest).where(tags.c.repository == repository).order_by(tags.c.tag)
    return {row.tag: row.digest for row in connection.execute(query)}


def tags_after(connection: Connection, repository: str, after: str, most: int | None) -> list[str]:
    query = select(tags.c.tag).where(tags.c.repository == repository, tags.c.tag > after)
    return list(connection.execute(query.order_by(tags.c.tag).limit(most)).scalars())


def pulled(connection: Connection, repository: str, digest: str) -> None:
    chosen = (images.c.repository == repository) & (images.c.digest == digest)
    connection.execute(update(images).where(chosen).values(pulled=time.time()))


def untag(connection: Connection, repository: str, tag: str) -> None:
    """Raises `ImageUnknown`."""
    gone = delete(tags).where(tags.c.repository == repository, tags.c.tag == tag)
    if connection.execute(gone).rowcount == 0:
        raise ImageUnknown(f"the repository has no tag {tag}")


def remove(connection: Connection, repository: str, digest: str) -> list[str]:
    """Remove an image with its tags, which this returns. Raises `ImageUnknown` and `ImageInUse`."""
    resolve(connection, repository, digest)
    naming = select(references.c.image).where(references.c.repository == repository, references.c.child == digest)
    index = connection.execute(naming.limit(1)).scalar()
    if index is not None:
        raise ImageInUse(f"the index {index} names the image {digest}: delete it first")
    of_image = (tags.c.repository == repository) & (tags.c.digest == digest)
    named: list[str] = list(connection.execute(select(tags.c.tag).where(of_image).order_by(tags.c.tag)).scalars())
    connection.execute(delete(tags).where(of_image))
    connection.execute(delete(references).where(references.c.repository == repository, references.c.image == digest))
    connection.execute(delete(images).where(images.c.repository == repository, images.c.digest == digest))
    return named


def is_empty(connection: Connection, repository: str) -> bool:
    return connection.execute(select(images.c.digest).where(images.c.repository == repository).limit(1)).first() is None


def forget(connection: Connection, repository: str) -> None:
    """All that a repository holds, which is deleted."""
    for table in (tags, references, images):
        connection.execute(delete(table).where(table.c.repository == repository))


def _is_there(connection: Connection, repository: str, digest: str) -> bool:
    query = select(images.c.digest).where(images.c.repository == repository, images.c.digest == digest)
    return connection.execute(query).first() is not None


def _image(row: Row[Any]) -> Image:
    values = {name: getattr(row, name) for name in Image.__dataclass_fields__}
    return Image(**{**values, "annotations": orjson.loads(row.annotations)})
