"""Labels that stand for classes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Classes:
    kind: str
    """Of the predictor, as messages call it."""
    count: int | None = None
    """Labels are from 0 to one less; with None they may be any whole numbers."""

    def first_wrong(self, labels: NDArray[np.float32]) -> int | None:
        """The position of the first that is no class."""
        wrong = labels != np.floor(labels)
        if self.count is not None:
            wrong |= (labels < 0) | (labels >= self.count)
        return int(wrong.argmax()) if wrong.any() else None

    def __str__(self) -> str:
        bounds = "" if self.count is None else f" from 0 to {self.count - 1}"
        return f"a {self.kind} needs labels that are whole numbers{bounds}"
