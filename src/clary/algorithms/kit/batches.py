"""Rows on their way through an algorithm."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


@dataclass(frozen=True, slots=True)
class Batch:
    features: "NDArray[np.float32] | csr_matrix"
    """One row each, float32."""
    labels: NDArray[np.float32] | None = None
    """One for each row, or a row of several."""

    def __len__(self) -> int:
        rows: int = self.features.shape[0]
        return rows

    @property
    def width(self) -> int:
        columns: int = self.features.shape[1]
        return columns

    @property
    def is_sparse(self) -> bool:
        return not isinstance(self.features, np.ndarray)

    def dense(self) -> NDArray[np.float32]:
        """The features as a matrix with all its zeros."""
        features = self.features
        return features if isinstance(features, np.ndarray) else features.toarray()

    def part(self, start: int, stop: int) -> "Batch":
        return Batch(self.features[start:stop], None if self.labels is None else self.labels[start:stop])


def join(parts: list[Batch]) -> Batch:
    """Batches of the same width one after another; sparse where one of them is."""
    if len(parts) == 1:
        return parts[0]
    labels = [part.labels for part in parts if part.labels is not None]
    if any(part.is_sparse for part in parts):
        from scipy.sparse import csr_matrix, vstack

        features = vstack([csr_matrix(part.features) for part in parts], format="csr")
    else:
        features = np.concatenate([part.features for part in parts])
    return Batch(features, np.concatenate(labels) if labels else None)


def split(parts: Iterable[Batch], size: int) -> Iterator[Batch]:
    """The same rows in batches of at most `size`, none of which is joined of two: nothing is copied."""
    for part in parts:
        for start in range(0, len(part), size):
            yield part.part(start, start + size)


def rebatch(parts: Iterable[Batch], size: int) -> Iterator[Batch]:
    """The same rows in batches of `size`, the last one of what is left."""
    held: list[Batch] = []
    count = 0
    for part in parts:
        start = 0
        while count + len(part) - start >= size:
            stop = start + size - count
            yield join([*held, part.part(start, stop)])
            held, count, start = [], 0, stop
        if start < len(part):
            held.append(part.part(start, len(part)))
            count += len(part) - start
    if held:
        yield join(held)
