"""Container images for tests, made by hand: layers of what a test says, of busybox, or of this machine's Python.

built = build(directory, [busybox_layer(), layer({"/usr/bin/train": script("echo trained")})], Entrypoint=[…])
built.image                 what an instance is told of it
skopeo copy oci:{built.directory} docker://…      it is an OCI image layout
"""

import contextlib
import functools
import gzip
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from clary.instance.own_images.oci import ARCHITECTURES, Blob, OciImage
from tests.platform import Platform

CONFIG = "application/vnd.oci.image.config.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
COMPRESSED = {"": "", "gzip": "+gzip", "zstd": "+zstd"}
BUSYBOX = "/usr/bin/busybox"


@dataclass(frozen=True)
class Built:
    directory: Path
    """An OCI image layout: `oci-layout`, `index.json`, `blobs/sha256/…`."""
    image: OciImage


def script(text: str, interpreter: str = "/bin/sh") -> bytes:
    return f"#!{interpreter}\n{text}\n".encode()


def member(name: str, content: bytes | str = b"", mode: int = 0o755, **fields: Any) -> tuple[tarfile.TarInfo, bytes]:
    """One entry of a layer; `type` and `linkname` make it something else than a file."""
    data = content.encode() if isinstance(content, str) else content
    info = tarfile.TarInfo(name)
    info.mode, info.size = mode, len(data)
    for field, value in fields.items():
        setattr(info, field, value)
    return info, data


def layer(files: Mapping[str, bytes | str] | None = None, *members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    """A layer's tar archive of these files, all executable, and then of the `members`."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for info, data in (*(member(name.lstrip("/"), text) for name, text in (files or {}).items()), *members):
            archive.addfile(info, io.BytesIO(data))
    return packed.getvalue()


@functools.cache
def busybox_layer() -> bytes:
    """A shell and the usual commands, below /bin. Skips the test where Debian's `busybox-static` is not installed."""
    if not os.path.exists(BUSYBOX):
        pytest.skip("busybox-static is not installed")
    names = subprocess.run([BUSYBOX, "--list"], capture_output=True, text=True, check=True).stdout.split()
    links = [member(f"bin/{name}", type=tarfile.SYMTYPE, linkname="busybox") for name in names if name != "busybox"]
    users = {"etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n"}
    return layer({"bin/busybox": Path(BUSYBOX).read_bytes(), **users}, *links)


@functools.cache
def python_layer() -> bytes:
    """This machine's Python as /usr/bin/python3, its standard library and the shared libraries that they need."""
    stdlib = Path(os.__file__).parent
    real = os.path.realpath(sys.executable)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.add(real, f"usr/bin/{version}")
        archive.addfile(*_entry(member("usr/bin/python3", type=tarfile.SYMTYPE, linkname=version)))
        archive.add(stdlib, f"usr/lib/{version}", filter=_without_what_tests_need_not)
        modules = (stdlib / "lib-dynload").glob("*.so")
        for path in sorted(_libraries([real, *map(str, modules)])):
            archive.add(os.path.realpath(path), path.lstrip("/"))
    return packed.getvalue()


def build(
    directory: Path,
    layers: Sequence[bytes],
    *,
    reference: str = "own/image:1",
    compression: str = "gzip",
    platform: tuple[str, str] = ("linux", ARCHITECTURES.get(os.uname().machine, "")),
    **settings: Any,
) -> Built:
    """Write an image layout; `settings` are the configuration's (`Entrypoint`, `Cmd`, `Env`, `WorkingDir`, `User`)."""
    blobs = directory / "blobs" / "sha256"
    blobs.mkdir(parents=True, exist_ok=True)
    stored = [_store(blobs, _compress(tar, compression), LAYER + COMPRESSED[compression]) for tar in layers]
    config = {
        "os": platform[0],
        "architecture": platform[1],
        "config": settings,
        "rootfs": {"type": "layers", "diff_ids": [_digest(tar) for tar in layers]},
    }
    described = _store(blobs, json.dumps(config).encode(), CONFIG)
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": _descriptor(described),
        "layers": [_descriptor(blob) for blob in stored],
    }
    top = _store(blobs, json.dumps(manifest).encode(), MANIFEST)
    (directory / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    (directory / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [_descriptor(top)]}))
    return Built(directory, OciImage(reference, top.digest, described, stored))


def push(platform: Platform, built: Built, repository: str, tag: str) -> str:
    """Push the image to a repository of the platform's registry, which is made where there is none; returns its URI."""
    from tests.services.distribution.conftest import Client, login

    ecr = platform.client("ecr")
    with contextlib.suppress(ecr.exceptions.RepositoryAlreadyExistsException):
        ecr.create_repository(repositoryName=repository)
    (described,) = ecr.describe_repositories(repositoryNames=[repository])["repositories"]
    found = described["repositoryUri"]
    client = Client(platform.url, repository, login(platform))
    for blob in (built.image.config, *built.image.layers):
        client.push_blob(Path(blob.location).read_bytes())
    manifest = (built.directory / "blobs" / "sha256" / built.image.digest.partition(":")[2]).read_bytes()
    answer = client.call("PUT", f"manifests/{tag}", manifest, Content_Type=MANIFEST)
    assert answer.status == 201, answer
    client.connection.close()
    return f"{found}:{tag}"


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _store(blobs: Path, data: bytes, media_type: str) -> Blob:
    digest = _digest(data)
    path = blobs / digest.partition(":")[2]
    path.write_bytes(data)
    return Blob(digest, media_type, len(data), str(path))


def _descriptor(blob: Blob) -> dict[str, Any]:
    return {"mediaType": blob.media_type, "digest": blob.digest, "size": blob.size}


def _compress(tar: bytes, compression: str) -> bytes:
    match compression:
        case "gzip":
            return gzip.compress(tar, 1, mtime=0)
        case "zstd":
            if not shutil.which("zstd"):
                pytest.skip("zstd is not installed")
            return subprocess.run(["zstd", "-q"], input=tar, capture_output=True, check=True).stdout
        case _:
            return tar


def _entry(made: tuple[tarfile.TarInfo, bytes]) -> tuple[tarfile.TarInfo, io.BytesIO]:
    return made[0], io.BytesIO(made[1])


def _without_what_tests_need_not(info: tarfile.TarInfo) -> tarfile.TarInfo | None:
    parts = set(Path(info.name).parts)
    unneeded = {
        "site-packages",
        "test",
        "tests",
        "idlelib",
        "tkinter",
        "turtledemo",
        "lib2to3",
        "ensurepip",
        "pydoc_data",
    }
    unneeded |= {name for name in parts if name.startswith("config-")}
    return None if parts & unneeded else info


def _libraries(programs: Iterable[str]) -> set[str]:
    """Shared libraries of programs and modules, the loader among them, by the paths that they are looked up by."""
    with tempfile.TemporaryFile("w+") as printed:
        subprocess.run(["ldd", *programs], stdout=printed, stderr=subprocess.DEVNULL, check=False)
        printed.seek(0)
        words = (word for line in printed if "(0x" in line for word in line.split())
        return {word for word in words if word.startswith("/") and os.path.exists(word)}
