"""Pictures for tests: shapes on a noisy ground, their masks, and the records of MXNet that they come in."""

import struct
import zlib

import numpy as np

from clary.toolkits.recordio_frames import HEADER, MAGIC

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


def flag(random: np.random.Generator, side: int = 24) -> tuple[np.ndarray, list[int]]:
    """A picture on which each of a red, a green and a blue square is, or is not: 1 or 0 for each of them."""
    picture = random.integers(0, 60, (side, side, 3)).astype(np.uint8)
    there = random.integers(0, 2, 3)
    for colour in np.flatnonzero(there):
        left, top = random.integers(0, side // 3 - 4), random.integers(0, side - 8)
        left += colour * side // 3
        picture[top : top + 8, left : left + 6, colour] = 230
    return picture, there.tolist()


def encode(picture: np.ndarray) -> bytes:
    """As a file of the format PPM, for which no library is needed."""
    height, width, _ = picture.shape
    return f"P6 {width} {height} 255\n".encode() + picture.tobytes()


def record(labels: list[float], encoded: bytes) -> bytes:
    """One record: a label in its header, or several after that."""
    several = len(labels) > 1
    header = struct.pack("<IfQQ", len(labels) if several else 0, 0.0 if several else labels[0], 1, 0)
    return framed(header + (struct.pack(f"<{len(labels)}f", *labels) if several else b"") + encoded)


def framed(body: bytes) -> bytes:
    """As a record, whatever it is."""
    return HEADER.pack(MAGIC, len(body)) + body + b"\0" * (-len(body) % 4)


def scene(random: np.random.Generator, side: int = 48) -> tuple[np.ndarray, np.ndarray]:
    """A picture of two squares, and its mask: 1 the pixels of a red one, 2 of a blue one, 0 of the ground."""
    picture = random.integers(0, 60, (side, side, 3)).astype(np.uint8)
    mask = np.zeros((side, side), np.uint8)
    for colour in (1, 2):
        extent = int(random.integers(side // 3, side // 2))
        left, top = random.integers(0, side - extent, 2)
        place = slice(top, top + extent), slice(left, left + extent)
        picture[place] = (230, 30, 30) if colour == 1 else (30, 30, 230)
        mask[place] = colour
    return picture, mask


def boxes(mask: np.ndarray) -> list[list[int]]:
    """Of the squares in a scene's mask what can be seen: class, left, top, width, height in pixels."""
    found = []
    for kind in np.unique(mask[mask > 0]).tolist():
        rows, columns = np.nonzero(mask == kind)
        left, top, right, bottom = (int(each) for each in (columns.min(), rows.min(), columns.max(), rows.max()))
        found.append([kind - 1, left, top, right + 1 - left, bottom + 1 - top])
    return found


def encode_mask(mask: np.ndarray) -> bytes:
    """As a PNG of one channel of 8 bits."""
    height, width = mask.shape
    rows = b"".join(b"\0" + row.tobytes() for row in mask)
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    )
    chunks = [
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in parts
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
