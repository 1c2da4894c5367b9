"""A container image of the user's own, as an instance is told of it, and what its configuration says.

Formats are those of the OCI image specification ("Image Manifest", "Image Configuration"), which Docker's have become.
Standard library only: it travels in `spec.json`.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import Any

from clary.instance.errors import Refused

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "ppc64le": "ppc64le", "s390x": "s390x", "riscv64": "riscv64"}
"""What machines call themselves → what images do."""


def own_architecture() -> str:
    """This machine's, in the words of images."""
    machine = os.uname().machine
    return ARCHITECTURES.get(machine, machine)


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes of a registry: a layer, or an image's configuration."""

    digest: str
    """`sha256:` and 64 hexadecimal digits, of the bytes as they are stored."""
    media_type: str
    size: int
    location: str
    """Absolute path of a file that never changes, or an http(s) URL; empty of a layer that lies elsewhere."""


@dataclass(frozen=True, slots=True)
class OciImage:
    reference: str
    """As the user wrote it: `<account>.dkr.ecr.<region>.amazonaws.com/mine:1`."""
    digest: str
    """Of its manifest."""
    config: Blob
    layers: list[Blob]
    """The lowest first."""
    entrypoint: list[str] | None = None
    """What runs in place of the image's own ENTRYPOINT and CMD; the command of the spec is appended to either."""

    @classmethod
    def named(cls, reference: str, entrypoint: list[str] | None = None) -> OciImage:
        """One that only a container runtime can have: from another registry, or made on this machine."""
        return cls(reference, "", Blob("", "", 0, ""), [], entrypoint)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> OciImage:
        layers = [Blob(**layer) for layer in data["layers"]]
        return cls(**{**data, "config": Blob(**data["config"]), "layers": layers})


@dataclass(frozen=True, slots=True)
class Config:
    """What of an image's configuration has a meaning here."""

    layers: list[str] = field(default_factory=list)
    """`diff_ids`: the digest of each layer's tar archive, unpacked from whatever it was compressed by."""
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    workdir: str = "/"
    user: str = ""
    """`name`, `uid`, `name:group` or `uid:gid`; empty is root."""

    def argv(self, image: OciImage, arguments: list[str]) -> list[str]:
        """What `docker run [--entrypoint …] IMAGE arguments` runs."""
        if image.entrypoint is not None:
            return [*image.entrypoint, *arguments]
        return [*self.entrypoint, *(arguments or self.command)]


def read_config(text: bytes) -> Config:
    """Raises `Refused` where it is not one, or not one for this machine."""
    try:
        data = json.loads(text)
        settings = data.get("config") or {}
        pairs = [line.partition("=") for line in settings.get("Env") or [] if not line.startswith("=")]
        config = Config(
            layers=[str(digest) for digest in data["rootfs"]["diff_ids"]],
            entrypoint=[str(word) for word in settings.get("Entrypoint") or []],
            command=[str(word) for word in settings.get("Cmd") or []],
            environment={name: value for name, _, value in pairs},
            workdir=str(settings.get("WorkingDir") or "/"),
            user=str(settings.get("User") or ""),
        )
        if "\0" in config.workdir:
            raise ValueError("WorkingDir holds a NUL")
        platform = (str(data.get("os") or "linux"), str(data.get("architecture") or ""))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refused(f"ClientError: the image's configuration cannot be read: {error!r}.") from None
    own = ("linux", own_architecture())
    if platform not in (own, ("linux", "")):
        raise Refused(f"ClientError: the image is made for {'/'.join(platform)}, and this machine is {'/'.join(own)}.")
    return config
