"""Numbers that can be reckoned with: those of rows, and those that a training came to."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from clary.algorithms.errors import UserError
from clary.algorithms.kit.batches import Batch

LARGEST = 1.8e19
"""The square of a greater one is no number of 32 bits, and distances are made of squares."""


class Unsound(NamedTuple):
    """The place in a batch, and words about it."""

    row: int
    what: str
    value: float


def first_unsound(batch: Batch) -> Unsound | None:
    """The first row with a feature that is no number, infinite or too large, and what is wrong with it."""
    values = _values(batch)
    with np.errstate(over="ignore", invalid="ignore"):
        # Their sum tells it, in a fraction of what a look at each takes. Large ones that cancel each other out to the
        # last digit are not seen here, and are where a model is saved.
        if abs(np.einsum("ij->", values)) < LARGEST / 10:
            return None
        sound = np.abs(values) <= LARGEST
    if sound.all():
        return None
    place = int(sound.argmin())
    value = float(values.flat[place])
    what = "too large: its square has no room in 32 bits" if np.isfinite(value) else "no finite number"
    return _told(batch, place, f"which is {what}")


def first_negative(batch: Batch) -> Unsound | None:
    """The first row with a feature below 0, and what that is."""
    values = _values(batch)
    if not values.size or values.min() >= 0:
        return None
    return _told(batch, int((values < 0).argmax()), "and counts are not negative")


def first_wider(batch: Batch, width: int) -> tuple[int, int]:
    """The first row with more features than that, of a batch that has more, and how many."""
    features = batch.features
    if isinstance(features, np.ndarray):
        return 0, batch.width
    beyond = features.indices >= width
    if not beyond.any():
        return 0, batch.width  # The shape says so, not a value.
    row = int(np.searchsorted(features.indptr, beyond.argmax(), side="right")) - 1
    return row, int(features[row].indices.max()) + 1


def _values(batch: Batch) -> NDArray[np.float32]:
    """As they lie, in order; of sparse rows those that are there."""
    features = batch.features
    values: NDArray[np.float32] = features if isinstance(features, np.ndarray) else features.data[None, :]
    return values


def _told(batch: Batch, place: int, why: str) -> Unsound:
    """Of one of the values."""
    features = batch.features
    if isinstance(features, np.ndarray):
        row, column = divmod(place, batch.width)
    else:
        row = int(np.searchsorted(features.indptr, place, side="right")) - 1
        column = int(features.indices[place])
    value = float(_values(batch).flat[place])
    return Unsound(row, f"has {value:g} for feature {column + 1}, {why}", value)


def require_sound(arrays: Mapping[str, NDArray[Any]]) -> None:
    """Raises `UserError` where a model has learned what is no number."""
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise UserError(
                f"The training came to numbers that are not finite ({name}), and no model is saved: features or labels "
                "are too large for 32 bits, or the learning rate is."
            )
