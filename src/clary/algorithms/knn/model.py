"""Neighbours and what they say: the class that most of them have, or the mean of their labels.

model: index.faiss, labels.npy, model.json
"""

import json
import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clary.algorithms.kit.base import Columns
from clary.algorithms.kit.batches import Batch
from clary.algorithms.knn.hyperparameters import CLASSIFIER
from clary.algorithms.knn.index import search
from clary.algorithms.knn.reduction import Reduction

INDEX, LABELS, SETTINGS = "index.faiss", "labels.npy", "model.json"


class Neighbours:
    def __init__(self, index: Any, labels: NDArray[np.float32], settings: Mapping[str, Any]) -> None:
        self._index = index
        self._labels = labels
        self._settings = settings
        if settings["predictor_type"] == CLASSIFIER:
            self._classes, self._numbers = np.unique(labels, return_inverse=True)
        self._reduction = Reduction(settings["reduction"], settings["feature_dim"], settings["width"])
        self.feature_dim = int(settings["feature_dim"])

    def predict(self, batch: Batch, options: Mapping[str, str]) -> Columns:
        k = self._settings["k"]
        distances, places = search(self._index, self._reduction(batch.dense()), k, self._settings["metric"])
        labels = self._labels[places]
        if self._settings["predictor_type"] == CLASSIFIER:
            predicted = self._classes[self._votes(places).argmax(axis=1)]
        else:
            predicted = labels.mean(axis=1)
        told: Columns = {"predicted_label": predicted}
        if options.get("verbose", "").lower() == "true":
            told |= {"distances": distances, "labels": labels}
        return told

    def save(self, directory: str) -> None:
        import faiss

        faiss.write_index(self._index, os.path.join(directory, INDEX))
        np.save(os.path.join(directory, LABELS), self._labels)
        with open(os.path.join(directory, SETTINGS), "w", encoding="utf-8") as file:
            json.dump(dict(self._settings), file)

    @classmethod
    def load(cls, directory: str) -> "Neighbours":
        import faiss

        with open(os.path.join(directory, SETTINGS), encoding="utf-8") as file:
            settings = json.load(file)
        index = faiss.read_index(os.path.join(directory, INDEX))
        return cls(index, np.load(os.path.join(directory, LABELS)), settings)

    def _votes(self, places: NDArray[np.int64]) -> NDArray[Any]:
        """For each row and class the votes; of classes that have as many the one with nearer neighbours has more."""
        rows, k = places.shape
        worth = 1 + 1e-6 * np.arange(k, 0, -1) / k
        cells = np.arange(rows)[:, None] * len(self._classes) + self._numbers[places]
        votes: NDArray[Any] = np.bincount(cells.ravel(), np.tile(worth, rows), rows * len(self._classes))
        return votes.reshape(rows, len(self._classes))
