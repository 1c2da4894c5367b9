"""Digits that people wrote: the first 3,000 of MNIST's test set (LeCun, Cortes and Burges 1998), 28 x 28 pixels each.

`digits.npy.xz` holds a row of bytes for each: what it is, then its pixels.
"""

import lzma
from pathlib import Path

import numpy as np

from tests.algorithms.pictures import encode_mask

FILE = Path(__file__).parent / "digits.npy.xz"
SIDE = 28


def read_digits() -> list[tuple[int, bytes]]:
    """Each with its class, as a PNG of one channel."""
    with lzma.open(FILE) as file:
        rows = np.load(file)
    return [(int(row[0]), encode_mask(row[1:].reshape(SIDE, SIDE))) for row in rows]
