"""Pictures for tests: shapes on a noisy ground, and the records of MXNet that they come in."""

import struct

import numpy as np

from clary.toolkits.recordio import HEADER, MAGIC

SHAPES = ("bar", "square", "cross")


def draw(shape: int, random: np.random.Generator, side: int = 24) -> np.ndarray:
    """A picture `(side, side, 3)` with one shape, anywhere and in any bright colour."""
    picture = random.integers(0, 60, (side, side, 3)).astype(np.uint8)
    left, top = random.integers(0, side - 12, 2)
    colour = random.integers(150, 256, 3)
    part = picture[top : top + 12, left : left + 12]
    if SHAPES[shape] == "bar":
        part[4:8, :] = colour
    elif SHAPES[shape] == "square":
        part[:] = colour
    else:
        part[4:8, :], part[:, 4:8] = colour, colour
    return picture


def encode(picture: np.ndarray) -> bytes:
    """As a file of the format PPM, for which no library is needed."""
    height, width, _ = picture.shape
    return f"P6 {width} {height} 255\n".encode() + picture.tobytes()


def record(labels: list[float], encoded: bytes) -> bytes:
    """One record: a label in its header, or several after that."""
    several = len(labels) > 1
    header = struct.pack("<IfQQ", len(labels) if several else 0, 0.0 if several else labels[0], 1, 0)
    body = header + (struct.pack(f"<{len(labels)}f", *labels) if several else b"") + encoded
    return HEADER.pack(MAGIC, len(body)) + body + b"\0" * (-len(body) % 4)
