"""Fewer features, with about the same distances between rows.

`sign`: Achlioptas, "Database-friendly random projections" (2003). `fjlt`: Ailon and Chazelle, "The fast
Johnson-Lindenstrauss transform" (2009), in its later form that samples coordinates of the Hadamard transform.
"""

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float32]


class Reduction:
    """The same for the same arguments, on every instance and in the server."""

    def __init__(self, kind: str | None, features: int, target: int) -> None:
        """`kind` is `sign`, `fjlt`, or None: then rows are padded with zeros to `target` features."""
        random = np.random.default_rng(17)
        self.features = features
        self.target = target
        self._kind = kind
        self._signs = random.choice(np.array([-1, 1], np.float32), (features, target if kind == "sign" else 1))
        self._whole = 1 << max(features - 1, target - 1, 0).bit_length()
        self._chosen = np.sort(random.choice(self._whole, target, replace=False)) if kind == "fjlt" else None

    def __call__(self, rows: Rows) -> Rows:
        if self._kind == "sign":
            return np.asarray(rows @ self._signs / np.sqrt(self.target), np.float32)
        if self._kind == "fjlt":
            mixed = _hadamard(_padded(rows * self._signs[:, 0], self._whole))
            return np.ascontiguousarray(mixed[:, self._chosen] / np.float32(np.sqrt(self.target)))
        return _padded(rows, self.target)


def _padded(rows: Rows, width: int) -> Rows:
    return np.pad(rows, ((0, 0), (0, width - rows.shape[1]))) if width > rows.shape[1] else rows


def _hadamard(rows: Rows) -> Rows:
    """The fast Walsh-Hadamard transform of each row, whose length is a power of two."""
    width, half = rows.shape[1], 1
    while half < width:
        pairs = rows.reshape(len(rows), -1, 2, half)
        rows = np.concatenate([pairs.sum(axis=2), pairs[:, :, 0] - pairs[:, :, 1]], axis=2).reshape(len(rows), width)
        half *= 2
    return rows
