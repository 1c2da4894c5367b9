"""Container images for tests, made from nothing: OCI layouts with a layer of one file or a few."""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"


@dataclass(frozen=True)
class Picture:
    """An image: its manifest, its config and its layer."""

    manifest: bytes
    config: bytes
    layer: bytes

    @property
    def digest(self) -> str:
        return digest_of(self.manifest)

    @property
    def blobs(self) -> tuple[bytes, bytes]:
        return self.config, self.layer


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def descriptor(content: bytes, media_type: str, **more: Any) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest_of(content), "size": len(content), **more}


def layer_of(files: Mapping[str, bytes]) -> tuple[bytes, str]:
    """A gzipped tar, and the digest of the tar itself."""
    unpacked = io.BytesIO()
    with tarfile.open(fileobj=unpacked, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return gzip.compress(unpacked.getvalue(), mtime=0), digest_of(unpacked.getvalue())


def picture(
    files: Mapping[str, bytes], *, architecture: str = "amd64", docker: bool = False, subject: Any = None, **config: Any
) -> Picture:
    """`config` is what the image's program is run with: `Cmd`, `Env` …"""
    layer, unpacked = layer_of(files)
    described = json.dumps(
        {
            "architecture": architecture,
            "os": "linux",
            "config": config,
            "rootfs": {"type": "layers", "diff_ids": [unpacked]},
            "history": [{"created_by": "clary's tests"}],
        }
    ).encode()
    types = (DOCKER_MANIFEST, DOCKER_CONFIG, DOCKER_LAYER) if docker else (OCI_MANIFEST, OCI_CONFIG, OCI_LAYER)
    manifest = {
        "schemaVersion": 2,
        "mediaType": types[0],
        "config": descriptor(described, types[1]),
        "layers": [descriptor(layer, types[2])],
        **({"subject": subject} if subject else {}),
    }
    return Picture(json.dumps(manifest).encode(), described, layer)


def index_of(pictures: Mapping[str, Picture]) -> bytes:
    """An index of images by their architectures."""
    manifests = [
        descriptor(each.manifest, OCI_MANIFEST, platform={"architecture": architecture, "os": "linux"})
        for architecture, each in pictures.items()
    ]
    return json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests}).encode()


def write_layout(directory: Path, made: Picture, tag: str) -> Path:
    """An OCI layout on the disk, as `skopeo copy oci:<directory>:<tag>` takes it."""
    blobs = directory / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    for content in (made.manifest, *made.blobs):
        (blobs / digest_of(content).removeprefix("sha256:")).write_bytes(content)
    (directory / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    named = descriptor(made.manifest, OCI_MANIFEST, annotations={"org.opencontainers.image.ref.name": tag})
    (directory / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [named]}))
    return directory
