"""How the network sees pictures and masks: in training parts of them at changing sizes, else whole at one size."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from clary.algorithms.semantic_segmentation.masks import IGNORED
from clary.algorithms.vision.pictures import MEAN

Size = tuple[int, int]
"""Width and height, as PIL has them."""
BLANK = tuple(int(255 * part) for part in MEAN)
"""The colour beside a picture that is smaller than what is cut out."""
LEAST, MOST = 0.5, 2.0
"""Of `base_size`, between which the longer side of a picture changes in training."""


def longer_side(size: Size, pixels: float) -> Size:
    factor = pixels / max(size)
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))


def cut(
    picture: Image.Image, mask: Image.Image, base: int, side: int, random: np.random.Generator
) -> tuple[Image.Image, Image.Image]:
    """A square anywhere in both, at a random size, mirrored half of the time."""
    size = longer_side(picture.size, base * random.uniform(LEAST, MOST))
    picture, mask = at_size(picture, size), mask.resize(size, Image.Resampling.NEAREST)
    if random.random() < 0.5:
        picture, mask = ImageOps.mirror(picture), ImageOps.mirror(mask)
    width, height = (max(side, each) for each in size)
    picture, mask = padded(picture, mask, (width, height))
    left, top = int(random.integers(0, width - side + 1)), int(random.integers(0, height - side + 1))
    box = (left, top, left + side, top + side)
    return picture.crop(box), mask.crop(box)


def at_size(picture: Image.Image, size: Size) -> Image.Image:
    return picture.resize(size, Image.Resampling.BILINEAR)


def padded(picture: Image.Image, mask: Image.Image, size: Size) -> tuple[Image.Image, Image.Image]:
    """With what counts for nothing to the right and below."""
    ground, nothing = Image.new("RGB", size, BLANK), Image.new("L", size, IGNORED)
    ground.paste(picture)
    nothing.paste(mask)
    return ground, nothing


def numbers(mask: Image.Image) -> NDArray[np.int64]:
    return np.asarray(mask, np.int64)
