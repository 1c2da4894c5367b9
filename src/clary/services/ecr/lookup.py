"""An image of the registry, as whoever runs it needs it."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from clary.control.house import House
from clary.control.reach import location
from clary.instance.own_images.oci import Blob, own_architecture
from clary.records.record import Scope
from clary.registry import images
from clary.registry.errors import ImageUnknown
from clary.registry.manifests import Descriptor, Manifest, read_manifest
from clary.services.ecr.repositories import find_named

DEFAULT_TAG = "latest"


@dataclass(frozen=True, slots=True)
class Found:
    digest: str
    """Of the manifest that runs on this machine, which an index may have named."""
    config: Blob
    layers: list[Blob]
    """The lowest first."""


class NoSuchPlatform(Exception):
    """The image is there, and has nothing for this machine. The message says what it has."""


def find_image(house: House, scope: Scope, repository: str, reference: str = DEFAULT_TAG) -> Found | None:
    """An image of a repository, by its tag or digest; None where there is no such repository or image. Blocks, for
    about a millisecond. Raises `NoSuchPlatform`."""
    record = find_named(house.records, scope, repository)
    if record is None:
        return None
    try:
        manifest = house.registry.view(partial(_manifest, repository=record.id, reference=reference))
    except ImageUnknown:
        return None
    config, *layers = [_located(house, each) for each in _blobs(manifest)]
    return Found(manifest.digest, config, layers)


def _manifest(connection: Any, repository: str, reference: str) -> Manifest:
    image, content = images.find(connection, repository, reference)
    manifest = read_manifest(content, image.media_type)
    while manifest.is_index:
        image, content = images.find(connection, repository, _chosen(manifest).digest)
        manifest = read_manifest(content, image.media_type)
    return manifest


def _chosen(index: Manifest) -> Descriptor:
    """The image of an index that runs here: of this architecture, or of none that is told."""
    own = own_architecture()
    for each in index.manifests:
        told = each.platform
        if (told.get("os", "linux"), told.get("architecture", own)) == ("linux", own):
            return each
    offered = ", ".join(f"{each.platform.get('os')}/{each.platform.get('architecture')}" for each in index.manifests)
    raise NoSuchPlatform(f"the image {index.digest} has nothing for linux/{own}; it has {offered or 'nothing'}")


def _blobs(manifest: Manifest) -> list[Descriptor]:
    assert manifest.config is not None
    return [manifest.config, *manifest.layers]


def _located(house: House, blob: Descriptor) -> Blob:
    return Blob(blob.digest, blob.media_type, blob.size, "" if blob.foreign else _place(house, blob.digest))


def _place(house: House, digest: str) -> str:
    if house.engine.shares_disk:
        # It remembers them: an image of a hundred layers is found at once.
        return house.registry.locate(digest)
    return location(house, *house.registry.place(digest))
