"""Numbers that can be reckoned with: those of rows, and those that a training came to."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clary.algorithms.errors import UserError
from clary.algorithms.kit.batches import Batch

LARGEST = 1.8e19
"""The square of a greater one is no number of 32 bits, and distances are made of squares."""


def first_unsound(batch: Batch) -> tuple[int, str] | None:
    """The first row with a feature that is no number, infinite or too large, and what is wrong with it."""
    values = _values(batch)
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(values @ values):  # As each square then is: a look at each takes several times as long.
            return None
        sound = np.abs(values) <= LARGEST
    if sound.all():
        return None
    place = int(sound.argmin())
    value = float(values[place])
    what = "too large: its square has no room in 32 bits" if np.isfinite(value) else "no finite number"
    return _told(batch, place, f"which is {what}")


def first_negative(batch: Batch) -> tuple[int, str] | None:
    """The first row with a feature below 0, and what that is."""
    values = _values(batch)
    if not values.size or values.min() >= 0:
        return None
    return _told(batch, int((values < 0).argmax()), "and counts are not negative")


def _values(batch: Batch) -> NDArray[np.float32]:
    """One after the other; of sparse rows those that are there."""
    features = batch.features
    values: NDArray[np.float32] = features.ravel() if isinstance(features, np.ndarray) else features.data
    return values


def _told(batch: Batch, place: int, why: str) -> tuple[int, str]:
    """The row of one of the values, and words about it."""
    features = batch.features
    if isinstance(features, np.ndarray):
        row, column = divmod(place, batch.width)
    else:
        row = int(np.searchsorted(features.indptr, place, side="right")) - 1
        column = int(features.indices[place])
    return row, f"has {_values(batch)[place]:g} for feature {column + 1}, {why}"


def require_sound(arrays: Mapping[str, NDArray[Any]]) -> None:
    """Raises `UserError` where a model has learned what is no number."""
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise UserError(
                f"The training came to numbers that are not finite ({name}), and no model is saved: features or labels "
                "are too large for 32 bits, or the learning rate is."
            )
