"""Images of the user's own, brought to the container runtime.

What Clary's registry holds lies on its disk: it is handed over as `docker load` does, under a name made of its digest,
so that no login and no certificate stand between. Everything else is pulled from wherever the runtime pulls, with the
credentials of the user who runs Clary; what the runtime has already under a name is used as is, as by `docker run`.
"""

from __future__ import annotations

import json
import tarfile
import urllib.request
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from clary.instance.own_images.oci import Blob, OciImage

if TYPE_CHECKING:
    from docker import DockerClient

CHUNK = 1024 * 1024
MIB = 2**20
PROGRESS = ("Downloading", "Extracting", "Copying blob")


class PullFailed(Exception):
    """The text is for the user."""


def name_of(image: OciImage) -> str:
    """By which the runtime knows it."""
    return f"localhost/clary:{image.digest.replace(':', '-')}" if image.layers else image.reference


def fetch(client: DockerClient, image: OciImage) -> None:
    """Have the image, and say on stdout how far that is. Raises `PullFailed`."""
    from docker.errors import APIError

    print(f"Downloading the image {image.reference}", flush=True)
    try:
        if image.layers:
            _report(client.api.load_image(archive(image)), image)
        else:
            _pull(client, image)
    except APIError as error:
        raise PullFailed(f"The image {image.reference} cannot be pulled: {error.explanation or error}") from error


def _pull(client: DockerClient, image: OciImage) -> None:
    from docker.utils import parse_repository_tag

    repository, tag = parse_repository_tag(image.reference)
    _report(client.api.pull(repository, tag=tag or "latest", stream=True, decode=True), image)


def _report(events: Iterable[dict[str, Any]], image: OciImage) -> None:
    """Print what happened, and the layers under way as a line that is redrawn."""
    sizes: dict[str, tuple[int, int]] = {}
    for event in events:
        if "error" in event:
            raise PullFailed(f"The image {image.reference} cannot be pulled: {event['error']}")
        status, layer, detail = event.get("status", ""), event.get("id", ""), event.get("progressDetail") or {}
        if detail.get("total"):
            sizes[layer] = (detail.get("current", 0), detail["total"])
            done, total = (sum(numbers) / MIB for numbers in zip(*sizes.values(), strict=True))
            print(f"{done:.0f} of {total:.0f} MiB", end="\r", flush=True)
        elif status and not status.startswith(PROGRESS):
            print(": ".join(filter(None, (layer, status))), flush=True)


def archive(image: OciImage) -> Iterator[bytes]:
    """What `docker save` writes: a tar archive of `manifest.json`, the configuration and the layers. The layers stay
    compressed as they are."""
    names = [f"{layer.digest.partition(':')[2]}.tar" for layer in image.layers]
    config = f"{image.config.digest.partition(':')[2]}.json"
    manifest = json.dumps([{"Config": config, "RepoTags": [name_of(image)], "Layers": names}]).encode()
    yield from _member("manifest.json", len(manifest), [manifest])
    yield from _member(config, image.config.size, _content(image.config))
    # A layer that comes twice lies in the archive once.
    for name, layer in dict(zip(names, image.layers, strict=True)).items():
        yield from _member(name, layer.size, _content(layer))
    yield bytes(2 * tarfile.BLOCKSIZE)


def _member(name: str, size: int, content: Iterable[bytes]) -> Iterator[bytes]:
    info = tarfile.TarInfo(name)
    info.size = size
    yield info.tobuf()
    yield from content
    yield bytes(-size % tarfile.BLOCKSIZE)


def _content(blob: Blob) -> Iterator[bytes]:
    remote = blob.location.startswith(("http://", "https://"))
    with urllib.request.urlopen(blob.location) if remote else open(blob.location, "rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk
