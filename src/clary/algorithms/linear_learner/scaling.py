"""Features and labels brought to mean 0 and deviation 1 by what the first rows are like.

The rows that are learned from are scaled; the model that comes of it is turned back, so that it takes rows as they are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clary.algorithms.kit.batches import Batch
from clary.algorithms.kit.team import Team

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Scaler:
    mean: Array
    """Of each column; zeros where nothing is to be moved."""
    deviation: Array
    """Ones where nothing is to be stretched."""

    @classmethod
    def fit(cls, columns: Sequence[Any], width: int, team: Team, *, unbias: bool, normalize: bool) -> "Scaler":
        """Of matrices with so many columns, dense or sparse; of all instances' rows together."""
        total, squares, count = np.zeros(width), np.zeros(width), np.zeros(1)
        for each in columns:
            total += np.asarray(each.sum(axis=0, dtype=np.float64)).ravel()
            square = each.multiply(each) if hasattr(each, "multiply") else np.square(each, dtype=np.float64)
            squares += np.asarray(square.sum(axis=0)).ravel()
            count += each.shape[0]
        total, squares, count = team.sum(total, squares, count)
        mean = total / count
        deviation = np.sqrt(np.maximum(squares / count - mean**2, 0))
        # A column that never changes, up to rounding, tells nothing: it is left as it is.
        deviation[deviation <= 1e-6 * np.abs(mean) + 1e-30] = 1
        return cls(
            (mean if unbias else np.zeros(width)).astype(np.float32),
            (deviation if normalize else np.ones(width)).astype(np.float32),
        )

    def apply(self, features: Any) -> Any:
        if isinstance(features, np.ndarray):
            return (features - self.mean) / self.deviation
        return features.multiply(1 / self.deviation).tocsr()


def scalers(
    first: Sequence[Batch], width: int, parameters: dict[str, Any], team: Team, *, regression: bool
) -> tuple[Scaler, Scaler]:
    """Of features and of labels. Sparse rows are not moved, which would fill them; classes are no numbers."""
    sparse = team.agrees(any(batch.is_sparse for batch in first))
    features = Scaler.fit(
        [batch.features for batch in first],
        width,
        team,
        unbias=parameters["unbias_data"] is not False and not sparse,
        normalize=parameters["normalize_data"] is not False,
    )
    labels = Scaler.fit(
        [batch.labels[:, None] for batch in first if batch.labels is not None],
        1,
        team,
        unbias=parameters["unbias_label"] is not False and regression,
        normalize=parameters["normalize_label"] is not False and regression,
    )
    return features, labels
