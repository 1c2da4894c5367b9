"""Scenes for tests that must learn: circles, squares and triangles of any bright colour, of which the kind is asked."""

import numpy as np

KINDS = ("circle", "square", "triangle")
LEAST, MOST = 0.3, 0.45
"""Of a picture's side, between which the sides of shapes are."""


def shapes(random: np.random.Generator, side: int) -> tuple[np.ndarray, np.ndarray]:
    """A picture `(side, side, 3)` of one, two or three shapes that do not meet, no two of one kind, and its mask: 0 the
    ground, 1 a circle, 2 a square, 3 a triangle."""
    picture = random.integers(0, 80, (side, side, 3)).astype(np.uint8)
    mask = np.zeros((side, side), np.uint8)
    for kind in random.permutation(len(KINDS))[: random.integers(1, len(KINDS) + 1)]:
        extent = int(side * random.uniform(LEAST, MOST))
        for _ in range(20):
            left, top = random.integers(0, side - extent + 1, 2)
            place = slice(top, top + extent), slice(left, left + extent)
            if not mask[place].any():
                inside = filled(KINDS[kind], extent)
                mask[place][inside] = kind + 1
                picture[place][inside] = colour(random)
                break
    return picture, mask


def filled(kind: str, extent: int) -> np.ndarray:
    """Which pixels of a square of that side are in the shape, which touches all of its four sides."""
    down, right = (np.mgrid[:extent, :extent] + 0.5) / extent
    if kind == "circle":
        return (right - 0.5) ** 2 + (down - 0.5) ** 2 <= 0.25
    if kind == "triangle":
        return abs(right - 0.5) <= down / 2
    return np.ones((extent, extent), bool)


def colour(random: np.random.Generator) -> np.ndarray:
    """With one channel that is bright at the least."""
    found = random.integers(40, 256, 3)
    found[random.integers(3)] = random.integers(200, 256)
    return found
