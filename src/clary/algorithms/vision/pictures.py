"""Pictures as numbers: decoded, brought to one size, varied, and centred as torchvision's own networks expect them."""

import io
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageOps, UnidentifiedImageError

from clary.algorithms.errors import UserError

PICTURES = ("application/x-image", "image/jpeg", "image/png")
"""Content types of requests with one."""
MEAN = np.array([0.485, 0.456, 0.406], np.float32)
DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)
"""Of ImageNet's colours, from 0 to 1."""

Variation = Literal["crop", "crop_color", "crop_color_transform"]
Pixels = NDArray[np.float32]
"""`(channels, height, width)`."""


def decode(encoded: bytes, channels: int, name: str = "The image") -> Image.Image:
    """Raises `UserError` for what is no picture."""
    try:
        picture = Image.open(io.BytesIO(encoded))
        return picture.convert("L" if channels == 1 else "RGB")
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as error:
        raise UserError(f"{name} cannot be read as a picture: {error}") from error


def fit(picture: Image.Image, height: int, width: int) -> Image.Image:
    """The middle of the picture, at the size that is asked for."""
    return ImageOps.fit(picture, (width, height), Image.Resampling.BILINEAR)


def shorter_side(picture: Image.Image, pixels: int) -> Image.Image:
    """The picture with its shorter side as long as that."""
    factor = pixels / min(picture.size)
    size = (max(1, round(picture.width * factor)), max(1, round(picture.height * factor)))
    return picture.resize(size, Image.Resampling.BILINEAR)


def vary(
    picture: Image.Image, height: int, width: int, how: Variation | None, random: np.random.Generator
) -> Image.Image:
    """For training: cut out anywhere where there is room, mirrored half of the time, and what `how` adds to that."""
    if how == "crop_color_transform":
        picture = picture.rotate(random.uniform(-10, 10), Image.Resampling.BILINEAR)
    if how is not None and picture.width > width and picture.height > height:
        left, top = random.integers(0, picture.width - width + 1), random.integers(0, picture.height - height + 1)
        picture = picture.crop((int(left), int(top), int(left) + width, int(top) + height))
    else:
        picture = fit(picture, height, width)
    if how is None:
        return picture
    if random.random() < 0.5:
        picture = ImageOps.mirror(picture)
    if how != "crop":
        for enhance in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
            picture = enhance(picture).enhance(random.uniform(0.8, 1.2))
    return picture


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
