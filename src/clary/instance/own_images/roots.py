"""Images of users' own, unpacked: once for each, by whoever needs one first, and shared by all who need it after.

    layers ─▶ <images>/layers/<diff_id>/    each unpacked once (`unpacking`), whichever images it belongs to
                     └─▶ <images>/<digest of the configuration>/root/    laid over each other (`merging`)
                                                                image.json

What their locks and marks mean is told by `shared`.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

from clary.files import write_atomically
from clary.instance.errors import Refused
from clary.instance.own_images.merging import make_places, merge
from clary.instance.own_images.oci import Blob, Config, OciImage, read_config
from clary.instance.own_images.tarball import check_digest
from clary.instance.own_images.unpacking import LAYER, Notes, unpack_layer
from clary.instance.room import Room
from clary.instance.shared import Ear, hold
from clary.instance.spec import Source

IMAGE, LAYERS, ROOT = "image.json", "layers", "root"
LARGEST_CONFIG = 8 * 2**20
"""Bytes: it is read into the agent's memory, which no limit of the instance holds."""
DIGEST = re.compile(r"sha256:([0-9a-f]{64})\Z")


@dataclass(frozen=True, slots=True)
class Image:
    """`image.json`."""

    reference: str
    """By which it was first asked for."""
    digest: str
    config: Config
    built: float

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> Image:
        data = json.loads(text)
        return cls(**{**data, "config": Config(**data["config"])})


@dataclass(frozen=True, slots=True)
class Root:
    """An unpacked image that nobody removes while `lock` is open."""

    directory: str
    config: Config
    lock: int
    built: bool
    """Whether it was unpacked for this use."""


def provide(images: str, image: OciImage, reserve: int, ear: Ear) -> Root:
    """The root directory of `image`, unpacked below `images` first where it has to be. `reserve` is as `Node.reserve`.
    Raises `Refused` where it cannot be."""
    directory = f"{images}/{key_of(image.config.digest)}"
    lock, built = hold(directory, IMAGE, ear, lambda: Build(images, image, directory, reserve, ear).run())
    os.utime(f"{directory}/{IMAGE}")
    found = read_image(directory)
    assert found is not None
    return Root(f"{directory}/{ROOT}", found.config, lock, built)


def read_image(directory: str) -> Image | None:
    """None where the image is not complete."""
    try:
        with open(f"{directory}/{IMAGE}", encoding="utf-8") as file:
            return Image.from_json(file.read())
    except FileNotFoundError:
        return None


def key_of(digest: str) -> str:
    match = DIGEST.match(digest)
    if not match:
        raise Refused(f"ClientError: the image has the digest {digest!r}, which is no SHA-256.")
    return match[1]


class Build:
    """Of one image. Whoever runs it holds its lock."""

    def __init__(self, images: str, image: OciImage, directory: str, reserve: int, ear: Ear) -> None:
        self._images = images
        self._image = image
        self._directory = directory
        self._reserve = reserve
        self._ear = ear

    def run(self) -> None:
        image, ear = self._image, self._ear
        ear.begin()
        size = sum(layer.size for layer in image.layers) / 1e6
        ear.say(f"Downloading the image {image.reference}: {len(image.layers)} layers, {size:.3g} MB.")
        with _fresh(self._directory):
            config = self._config()
            if len(config.layers) != len(image.layers):
                raise Refused(
                    f"ClientError: the image's manifest has {len(image.layers)} layers and its configuration "
                    f"{len(config.layers)}."
                )
            held = [self._layer(*pair) for pair in zip(image.layers, config.layers, strict=True)]
            try:
                root = f"{self._directory}/{ROOT}"
                merge([directory for directory, _ in held], root, self._check(self._directory))
                make_places(root, config.workdir)
            except OSError as error:
                raise Refused(f"ClientError: the image {image.reference} cannot be unpacked: {error}.") from None
            finally:
                for _, lock in held:
                    os.close(lock)
            ear.say(f"Unpacked the image {image.reference}.")
            built = Image(image.reference, image.digest, config, time.time())
            write_atomically(f"{self._directory}/{IMAGE}", built.to_json(), durable=True)

    def _config(self) -> Config:
        path = self._bring(self._image.config, self._directory)
        size = os.path.getsize(path)
        if size > LARGEST_CONFIG:
            raise Refused(
                f"ClientError: the image's configuration has {size} bytes; at most {LARGEST_CONFIG} are read."
            )
        with open(path, "rb") as file:
            return read_config(file.read())

    def _layer(self, blob: Blob, diff_id: str) -> tuple[str, int]:
        directory = f"{self._images}/{LAYERS}/{key_of(diff_id)}"

        def make() -> None:
            with _fresh(directory):
                path = self._bring(blob, directory)
                unpack_layer(path, diff_id, directory, self._check(directory))
                if path.startswith(f"{directory}/"):
                    os.unlink(path)
            notes = Notes.of(directory)
            left_out = f" Left out: {notes.left_out} devices and fifos." if notes.left_out else ""
            self._ear.say(f"Unpacked the layer {blob.digest[:19]}: {notes.size / 1e6:.3g} MB.{left_out}")

        lock, _ = hold(directory, LAYER, self._ear, make)
        return directory, lock

    def _bring(self, blob: Blob, directory: str) -> str:
        """A file with the bytes of the blob, downloaded into `directory` where they lie elsewhere."""
        key_of(blob.digest)
        image, path, check = self._image.reference, blob.location, self._check(directory)
        if not path:
            raise Refused(
                f"ClientError: the layer {blob.digest} of the image {image} lies elsewhere and is not fetched."
            )
        if path.startswith(("http://", "https://")):
            from clary.instance.data.fetch import fetch_all

            path = f"{directory}/blob"
            fetch_all({path: Source(f"{blob.digest} of the image {image}", blob.location, blob.size)}, check)
        try:
            check_digest(path, blob.digest, check)
        except OSError as error:
            raise Refused(
                f"ClientError: Cannot pull the image {image}: its blob {blob.digest} cannot be read: {error.strerror}. "
                "It may have been deleted since the instance was asked for."
            ) from None
        return path

    def _check(self, directory: str) -> Callable[[], None]:
        room = Room([directory], self._reserve)

        def check() -> None:
            self._ear.check()
            room.check()

        return check


@contextlib.contextmanager
def _fresh(directory: str) -> Iterator[None]:
    """An empty directory, of which nothing is left where what is made in it fails."""
    # What an interrupted attempt left is of no use.
    shutil.rmtree(directory, ignore_errors=True)
    os.makedirs(directory, mode=0o700)
    try:
        yield
    except BaseException:
        shutil.rmtree(directory, ignore_errors=True)
        raise
