"""The images that this machine has, environments and unpacked ones: which, how large, when last used; and taking them
away again.

How one is made is told by `clary.instance.environments.store` and `clary.instance.own_images.roots`, and what its lock
means by `clary.instance.shared`.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from clary.instance.environments.store import IMAGE, Image, read_image
from clary.instance.own_images import roots
from clary.instance.own_images.unpacking import LAYER
from clary.instance.shared import sole_use


@dataclass(frozen=True, slots=True)
class Stored:
    """A complete environment, or what an interrupted build left (`image` is None)."""

    key: str
    directory: Path
    image: Image | None
    size: int
    """Bytes on the disk, whatever else links to the same files."""
    used: float
    """When an instance last began to use it."""

    @property
    def name(self) -> str:
        return self.image.recipe.name if self.image else ""


@dataclass(frozen=True, slots=True)
class Unpacked:
    """An image of the user's own, unpacked, or what an interruption left (`image` is None)."""

    key: str
    directory: Path
    image: roots.Image | None
    size: int
    used: float

    @property
    def name(self) -> str:
        return self.image.reference if self.image else ""


def unpacked_images(images: Path) -> list[Unpacked]:
    """The latest used first."""
    found = []
    for directory in _directories(images):
        if directory.name == roots.LAYERS:
            continue
        with suppress(FileNotFoundError):
            image = roots.read_image(str(directory))
            used = (directory / roots.IMAGE if image else directory).stat().st_mtime
            found.append(Unpacked(directory.name, directory, image, _size(directory), used))
    return sorted(found, key=lambda each: each.used, reverse=True)


def remove_layers(images: Path) -> None:
    """Delete unpacked layers that no image is made of. Their files are also those of the images that were."""
    used = {
        roots.key_of(digest) for each in unpacked_images(images) if each.image for digest in each.image.config.layers
    }
    for layer in _directories(images / roots.LAYERS):
        if layer.name not in used:
            _remove(layer, LAYER)


def stored_images(environments: Path) -> list[Stored]:
    """The latest used first."""
    found = [_look(path) for path in _directories(environments)]
    return sorted((each for each in found if each), key=lambda each: each.used, reverse=True)


def remove_image(directory: Path, key: str) -> bool:
    """Delete an environment or an unpacked image; False where something uses or makes it."""
    return _remove(directory / key, IMAGE)


def _remove(directory: Path, mark: str) -> bool:
    with sole_use(str(directory)) as alone:
        if alone:
            # Without its mark it counts as never made, however far the deletion comes.
            (directory / mark).unlink(missing_ok=True)
            shutil.rmtree(directory, ignore_errors=True)
        return alone


def _directories(environments: Path) -> Iterator[Path]:
    if not environments.is_dir():
        return
    with os.scandir(environments) as entries:
        yield from (Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False))


def _look(directory: Path) -> Stored | None:
    """None where it went away meanwhile."""
    try:
        image = read_image(str(directory))
        used = (directory / IMAGE if image else directory).stat().st_mtime
        return Stored(directory.name, directory, image, _size(directory), used)
    except FileNotFoundError:
        return None


def _size(directory: Path) -> int:
    total = 0
    for parent, _, names in os.walk(directory):
        for name in names:
            try:
                total += os.lstat(os.path.join(parent, name)).st_blocks * 512
            except FileNotFoundError:
                continue
    return total
