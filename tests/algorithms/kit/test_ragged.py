"""Rows of different lengths in batches."""

import numpy as np

from clary.algorithms.kit.ragged import Ragged


def test_batches_are_padded_to_their_longest_row() -> None:
    ragged = Ragged.of(np.array(row, np.int64) for row in ([1, 2, 3], [], [4], [5, 6]))
    assert len(ragged) == 4
    assert ragged.lengths.tolist() == [3, 0, 1, 2]
    assert [ragged.row(number).tolist() for number in range(4)] == [[1, 2, 3], [], [4], [5, 6]]
    assert ragged.padded(np.array([3, 2, 3]), 9).tolist() == [[5, 6], [4, 9], [5, 6]]
    assert ragged.padded(slice(0, 2), 0).tolist() == [[1, 2, 3], [0, 0, 0]]
    assert ragged.padded(np.array([1]), 0).shape == (1, 0)
    assert len(Ragged.of([])) == 0
