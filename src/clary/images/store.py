"""The environments of images that this machine has: which, how large, when last used; and taking them away again.

How one is made is told by `clary.instance.environments`, and what its lock means by `clary.instance.shared`.
"""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from clary.instance.environments import IMAGE, Image, read_image
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


def stored_images(environments: Path) -> list[Stored]:
    """The latest used first."""
    found = [_look(path) for path in _directories(environments)]
    return sorted((each for each in found if each), key=lambda each: each.used, reverse=True)


def remove_image(environments: Path, key: str) -> bool:
    """Delete an environment; False where something uses or builds it."""
    directory = environments / key
    with sole_use(str(directory)) as alone:
        if alone:
            # Without its mark it counts as never built, however far the deletion comes.
            (directory / IMAGE).unlink(missing_ok=True)
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
