"""Varies a picture of a red and a blue box many times, by the image's own library of pictures. Prints as JSON by how
many pixels their boxes were beside what is seen of them at the most, how often both were seen, and the sizes."""

import json

import numpy as np
from PIL import Image

from clary.algorithms.object_detection.views import vary

WIDTH, HEIGHT = 100, 60
BOXES = np.array([[0, 20, 10, 60, 30], [1, 70, 40, 95, 55]])
COLOURS = np.array([[250, 10, 10], [10, 10, 250]])


def main() -> None:
    ground = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    for kind, left, top, right, bottom in BOXES:
        ground[top:bottom, left:right] = COLOURS[kind]
    objects = (BOXES / [1, WIDTH, HEIGHT, WIDTH, HEIGHT]).astype(np.float32)
    random = np.random.default_rng(0)
    views = [vary(Image.fromarray(ground), objects, random) for _ in range(200)]
    errors = [beside(np.asarray(picture, int), row) for picture, rows in views for row in rows]
    told = {
        "error": max(errors),
        "both": sum(len(rows) == len(BOXES) for _, rows in views),
        "widths": sorted({picture.width for picture, _ in views}),
    }
    print(json.dumps(told))


def beside(picture: np.ndarray, row: np.ndarray) -> float:
    """Pixels between an object's box and what is seen of its colour, at the side where that is most."""
    height, width, _ = picture.shape
    others = picture[..., 2 - 2 * int(row[0])]
    own = picture[..., 2 * int(row[0])]
    down, right = np.nonzero(own - others > 100)
    seen = np.array([right.min(), down.min(), right.max() + 1, down.max() + 1])
    return float(np.abs(seen - row[1:] * [width, height, width, height]).max())


main()
