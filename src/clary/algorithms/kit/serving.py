"""What serves an algorithm whose requests are rows of features.

body ─ Content-Type ─▶ rows ─▶ Model.predict ─▶ columns ─ Accept ─▶ answer
"""

from clary.algorithms.errors import UserError
from clary.algorithms.kit.base import RowAlgorithm
from clary.algorithms.kit.batches import Batch
from clary.algorithms.kit.formats import READERS, WRITTEN, read_request, write_answer
from clary.algorithms.kit.service import Asked, FormattedService
from clary.algorithms.kit.soundness import first_unsound


class RowService(FormattedService):
    taken = tuple(READERS)
    given = tuple(WRITTEN)

    def __init__(self, algorithm: RowAlgorithm) -> None:
        self._algorithm = algorithm

    def load(self, directory: str) -> None:
        self._model = self._algorithm.load(directory)

    def answer(self, asked: Asked) -> bytes:
        batch = self._checked(read_request(asked.body, asked.media, self._model.feature_dim, asked.parameters))
        return write_answer(self._model.predict(batch, asked.options), asked.accept, self._algorithm.answers)

    def _checked(self, batch: Batch) -> Batch:
        if not len(batch):
            raise UserError("there are no rows in it.")
        if batch.width != self._model.feature_dim:
            raise UserError(f"its rows have {batch.width} features, and the model's have {self._model.feature_dim}.")
        if bad := first_unsound(batch):
            raise UserError(f"row {bad.row + 1} {bad.what}.")
        return batch
