"""How the network sees pictures and their objects in training: in other colours, mirrored, and by chance whole, from
further away, or a part of them.

Source: Liu et al. 2016, "Data augmentation", where fewer are seen whole, which takes longer to learn.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageOps

from clary.algorithms.object_detection.boxes import overlaps
from clary.algorithms.object_detection.objects import Objects
from clary.algorithms.vision.pictures import MEAN

BLANK = tuple(int(255 * part) for part in MEAN)
"""The colour around a picture that is seen from further away."""
FURTHEST = 2.0
"""Sides of what is seen then, in those of the picture. The paper has 4, at which objects of a few pixels are lost."""
SMALLEST = 0.3
"""Side of a part, of the picture's."""
OVERLAPS = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9)
"""Of a part with one of the objects at the least."""
TRIES = 50
Seen = tuple[Image.Image, Objects]


def vary(picture: Image.Image, objects: Objects, random: np.random.Generator) -> Seen:
    for enhance in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        if random.random() < 0.5:
            picture = enhance(picture).enhance(random.uniform(0.7, 1.3))
    match random.integers(3):
        case 0:
            picture, objects = from_further(picture, objects, random)
        case 1:
            picture, objects = cut(picture, objects, random)
    return mirrored(picture, objects) if random.random() < 0.5 else (picture, objects)


def from_further(picture: Image.Image, objects: Objects, random: np.random.Generator) -> Seen:
    """The picture anywhere on a larger ground."""
    size = np.array(picture.size)
    larger = (size * random.uniform(1, FURTHEST)).astype(int)
    place = random.integers(0, larger - size + 1)
    ground = Image.new("RGB", tuple(larger.tolist()), BLANK)
    ground.paste(picture, tuple(place.tolist()))
    return ground, moved(objects, -place / size, larger / size)


def cut(picture: Image.Image, objects: Objects, random: np.random.Generator) -> Seen:
    """A part with one object or more in it, by their middles; the whole picture where none was found."""
    least = random.choice(OVERLAPS)
    for _ in range(TRIES if len(objects) else 0):
        extent = random.uniform(SMALLEST, 1, 2)
        if not 0.5 <= extent[0] / extent[1] <= 2:
            continue
        start = random.uniform(0, 1 - extent)
        part = np.concatenate([start, start + extent]).astype(np.float32)
        middles = (objects[:, 1:3] + objects[:, 3:5]) / 2
        inside = ((middles > start) & (middles < start + extent)).all(axis=1)
        if inside.any() and overlaps(part, objects[:, 1:]).max() >= least:
            box = tuple((part * np.tile(picture.size, 2)).round().astype(int).tolist())
            return picture.crop(box), moved(objects[inside], start, extent)
    return picture, objects


def mirrored(picture: Image.Image, objects: Objects) -> Seen:
    objects = objects.copy()
    objects[:, [1, 3]] = 1 - objects[:, [3, 1]]
    return ImageOps.mirror(picture), objects


def moved(objects: Objects, start: NDArray[np.float64], extent: NDArray[np.float64]) -> Objects:
    """As shares of a part of the picture, or of a ground around it: what is beyond is cut off."""
    found = objects.copy()
    found[:, 1:] = ((objects[:, 1:] - np.tile(start, 2)) / np.tile(extent, 2)).clip(0, 1)
    return found
