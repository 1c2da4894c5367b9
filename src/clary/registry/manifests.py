"""Manifests and indexes, read: which blobs and images they name.

Sources: the OCI image specification 1.1 (manifest.md, image-index.md, descriptor.md) and Docker's image manifest V2,
schema 2. Schema 1, which names no config and is gone from Docker since 2024, is not understood.
"""

import hashlib
import re
from dataclasses import dataclass, field
from typing import Any

import orjson

from clary.registry.errors import DigestInvalid, ManifestInvalid

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
INDEXES = frozenset({OCI_INDEX, DOCKER_LIST})
MEDIA_TYPES = frozenset({OCI_MANIFEST, DOCKER_MANIFEST}) | INDEXES

LARGEST = 4 << 20
"""Bytes of a manifest; the specification asks for no more, and ECR takes no more."""

TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_LONGEST_TYPE = 255


@dataclass(frozen=True, slots=True)
class Descriptor:
    """What a manifest says of a blob or an image that it names."""

    digest: str
    media_type: str
    size: int
    foreign: bool = False
    """It lies elsewhere, at URLs: nobody sends it here."""
    platform: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Manifest:
    digest: str
    media_type: str
    artifact_type: str
    subject: str | None
    annotations: dict[str, str]
    config: Descriptor | None
    layers: tuple[Descriptor, ...]
    manifests: tuple[Descriptor, ...]

    @property
    def is_index(self) -> bool:
        return self.media_type in INDEXES

    @property
    def blobs(self) -> list[str]:
        """Digests of what must have been sent before, each once."""
        return list(dict.fromkeys(digest for digest, _ in self.sizes))

    @property
    def sizes(self) -> list[tuple[str, int]]:
        """Digest and bytes of each blob that must have been sent before."""
        named = [*((self.config,) if self.config else ()), *self.layers]
        return [(each.digest, each.size) for each in named if not each.foreign]

    @property
    def images(self) -> list[str]:
        return list(dict.fromkeys(each.digest for each in self.manifests if not each.foreign))

    @property
    def size(self) -> int | None:
        """Bytes of the layers as they are stored; None of an index."""
        return None if self.is_index else sum(layer.size for layer in self.layers)


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def checked_digest(text: str) -> str:
    """Raises `DigestInvalid`."""
    if not _DIGEST.fullmatch(text):
        raise DigestInvalid(f"{text!r} is not a digest of the form sha256:<64 hexadecimal digits>")
    return text


def read_manifest(content: bytes, media_type: str = "") -> Manifest:
    """`media_type` is what its sender calls it, empty where that is left to the manifest. Raises `ManifestInvalid`."""
    if len(content) > LARGEST:
        raise ManifestInvalid(f"the manifest has {len(content)} bytes; no more than {LARGEST} are allowed")
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise ManifestInvalid(f"the manifest is not JSON: {error}") from None
    if not isinstance(document, dict) or document.get("schemaVersion") != 2:
        raise ManifestInvalid("the manifest is not an object with schemaVersion 2")
    media_type = _media_type(document, media_type)
    config = None
    layers: list[Descriptor] = []
    manifests: list[Descriptor] = []
    if media_type in INDEXES:
        manifests = [_descriptor(each, "manifests") for each in _listed(document, "manifests")]
    else:
        config = _descriptor(document.get("config"), "config")
        layers = [_descriptor(each, "layers") for each in _listed(document, "layers")]
    subject = _descriptor(document["subject"], "subject").digest if document.get("subject") is not None else None
    artifact_type = _type(document.get("artifactType") or (config.media_type if config else ""), "artifactType")
    annotations = document.get("annotations") or {}
    if not isinstance(annotations, dict) or not all(isinstance(value, str) for value in annotations.values()):
        raise ManifestInvalid("annotations is not an object of texts")
    return Manifest(
        digest_of(content), media_type, artifact_type, subject, annotations, config, tuple(layers), tuple(manifests)
    )


def _media_type(document: dict[str, Any], said: str) -> str:
    said = said.partition(";")[0].strip()
    own = document.get("mediaType") or ""
    guessed = OCI_INDEX if "manifests" in document else OCI_MANIFEST
    found = said or own or guessed
    if found not in MEDIA_TYPES:
        raise ManifestInvalid(f"manifests of the media type {found!r} are not understood: {', '.join(MEDIA_TYPES)} are")
    if own and own != found:
        raise ManifestInvalid(f"the manifest calls itself {own!r} and was sent as {found!r}")
    return found


def _descriptor(value: Any, where: str) -> Descriptor:
    if not isinstance(value, dict):
        raise ManifestInvalid(f"{where} of the manifest is not a descriptor")
    digest, size, platform = value.get("digest"), value.get("size"), value.get("platform") or {}
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        raise ManifestInvalid(f"{where} of the manifest has the digest {digest!r}, which is not sha256:<64 digits>")
    if type(size) is not int or not 0 <= size < 1 << 63:
        raise ManifestInvalid(f"{where} of the manifest has the size {size!r}")
    if not isinstance(platform, dict):
        raise ManifestInvalid(f"{where} of the manifest has the platform {platform!r}")
    return Descriptor(digest, _type(value.get("mediaType"), where), size, bool(value.get("urls")), platform)


def _listed(document: dict[str, Any], name: str) -> list[Any]:
    value = document.get(name)
    if not isinstance(value, list):
        raise ManifestInvalid(f"{name} of the manifest is not a list")
    return value


def _type(value: Any, where: str) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST_TYPE:
        raise ManifestInvalid(f"{where} of the manifest has the media type {value!r}")
    return value
