"""Pictures as numbers: decoded, brought to one size, varied, and centred as torchvision's own networks expect them."""

import io
import struct
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from clary.algorithms.errors import UserError
from clary.algorithms.vision.colours import shifted

PICTURES = ("application/x-image", "image/jpeg", "image/png")
"""Content types of requests with one."""
MEAN = np.array([0.485, 0.456, 0.406], np.float32)
DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)
"""Of ImageNet's colours, from 0 to 1."""

ANGLE, SLANT, STRETCH = 10, 0.1, 0.25
"""At most: degrees, shear, and change of the ratio of width to height."""
SHIFTS = (36, 50, 50)
"""At most, of hue, saturation and lightness."""

Variation = Literal["crop", "crop_color", "crop_color_transform"]
Pixels = NDArray[np.float32]
"""`(channels, height, width)`."""


def decode(encoded: bytes, channels: int, name: str = "The image") -> Image.Image:
    """Raises `UserError` for what is no picture."""
    try:
        picture = Image.open(io.BytesIO(encoded))
        return picture.convert("L" if channels == 1 else "RGB")
    except UnidentifiedImageError as error:
        raise UserError(f"{name} cannot be read as a picture: its format is not known") from error
    except (OSError, ValueError, SyntaxError, struct.error, Image.DecompressionBombError) as error:
        raise UserError(f"{name} cannot be read as a picture: {error}") from error


def fit(picture: Image.Image, height: int, width: int) -> Image.Image:
    """The middle of the picture, at the size that is asked for."""
    size = width, height
    return picture if picture.size == size else ImageOps.fit(picture, size, Image.Resampling.BILINEAR)


def shorter_side(picture: Image.Image, pixels: int) -> Image.Image:
    """The picture with its shorter side as long as that."""
    factor = pixels / min(picture.size)
    size = (max(1, round(picture.width * factor)), max(1, round(picture.height * factor)))
    return picture.resize(size, Image.Resampling.BILINEAR)


def vary(
    picture: Image.Image, height: int, width: int, how: Variation | None, random: np.random.Generator
) -> Image.Image:
    """For training, as AWS's guide has it: `crop` cuts out anywhere where there is room, and mirrors half of the time;
    then colours change, and before all that the picture is turned, slanted and stretched."""
    if how is None:
        return fit(picture, height, width)
    if how == "crop_color_transform":
        picture = _bent(picture, random)
    if picture.width > width and picture.height > height:
        left, top = random.integers(0, picture.width - width + 1), random.integers(0, picture.height - height + 1)
        picture = picture.crop((int(left), int(top), int(left) + width, int(top) + height))
    else:
        picture = fit(picture, height, width)
    if random.random() < 0.5:
        picture = ImageOps.mirror(picture)
    return picture if how == "crop" else _coloured(picture, random)


def _bent(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    angle, slant = np.radians(random.uniform(-ANGLE, ANGLE)), random.uniform(-SLANT, SLANT)
    ratio = 1 + random.uniform(-STRETCH, STRETCH)
    turned = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    shaped = np.array([[1, slant], [0, 1]]) @ np.diag([2 * ratio / (1 + ratio), 2 / (1 + ratio)])
    back = np.linalg.inv(turned @ shaped)
    middle = np.array(picture.size) / 2
    first, second = np.column_stack([back, middle - back @ middle]).tolist()
    ground = tuple(int(255 * part) for part in MEAN) if picture.mode == "RGB" else int(255 * MEAN.mean())
    return picture.transform(
        picture.size, Image.Transform.AFFINE, (*first, *second), Image.Resampling.BILINEAR, fillcolor=ground
    )


def _coloured(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    hue, saturation, lightness = (random.uniform(-most, most) for most in SHIFTS)
    if picture.mode == "L":
        return picture.point(lambda value: value + lightness)
    return Image.fromarray(shifted(np.asarray(picture), hue, saturation, lightness))


def stacked(pictures: Sequence[Image.Image]) -> NDArray[np.uint8]:
    """Pictures of one size as `(pictures, height, width, channels)`."""
    bytes_of_all = np.stack([np.asarray(picture) for picture in pictures])
    return bytes_of_all[..., None] if bytes_of_all.ndim == 3 else bytes_of_all


def pixels(picture: Image.Image) -> Pixels:
    numbers = np.asarray(picture, np.float32) / 255
    if numbers.ndim == 2:
        centred = (numbers[None] - MEAN.mean()) / DEVIATION.mean()
    else:
        centred = ((numbers - MEAN) / DEVIATION).transpose(2, 0, 1)
    return np.asarray(centred, np.float32)
