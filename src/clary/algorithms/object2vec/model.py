"""A trained model and its files: its hyperparameters as JSON, and the network's weights."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from clary.algorithms.kit.device import device
from clary.algorithms.kit.ragged import Numbers, Ragged
from clary.algorithms.kit.weights import save_weights
from clary.algorithms.object2vec.hyperparameters import encoder_settings
from clary.algorithms.object2vec.network import Network
from clary.algorithms.object2vec.pairs import Side

WEIGHTS, SETTINGS = "model.pt", "model.json"
AT_ONCE = 512

Scores = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Model:
    given: dict[str, Any]
    """The job's hyperparameters."""
    network: Network

    @classmethod
    def build(cls, given: dict[str, Any]) -> "Model":
        encoders = encoder_settings(given, "enc0"), encoder_settings(given, "enc1")
        return cls(given, Network(given, encoders).to(device()))

    def save(self, directory: str) -> None:
        save_weights(self.network.state_dict(), os.path.join(directory, WEIGHTS))
        with open(os.path.join(directory, SETTINGS), "w", encoding="utf-8") as file:
            json.dump(self.given, file)

    @classmethod
    def load(cls, directory: str) -> "Model":
        with open(os.path.join(directory, SETTINGS), encoding="utf-8") as file:
            model = cls.build(json.load(file))
        model.network.load_state_dict(torch.load(os.path.join(directory, WEIGHTS), device()))
        return model

    def side(self, number: int, longest: int | None = None) -> Side:
        settings = encoder_settings(self.given, f"enc{number}")
        return Side(settings["vocab_size"], longest or settings["max_seq_len"])

    def scores(self, left: Ragged, right: Ragged) -> Scores:
        """Of each pair the chances of the classes, or its one value."""
        return self._found(
            len(left), lambda part: self._judged(self.network(self.batch(0, left, part), self.batch(1, right, part)))
        )

    def embeddings(self, number: int, objects: Ragged) -> Scores:
        """What the encoder of that number makes of each object."""
        encoder = self.network.encoders[number]
        return self._found(len(objects), lambda part: encoder(self.batch(number, objects, part)))

    def batch(self, number: int, objects: Ragged, chosen: Numbers | slice) -> torch.Tensor:
        """Those objects as the encoder of that number takes them."""
        return torch.from_numpy(objects.padded(chosen, self.network.encoders[number].pad)).to(device())

    def _judged(self, found: torch.Tensor) -> torch.Tensor:
        return found.softmax(1) if self.given["output_layer"] == "softmax" else found

    def _found(self, count: int, find: Callable[[slice], torch.Tensor]) -> Scores:
        self.network.eval()
        with torch.inference_mode():
            parts = [find(slice(at, at + AT_ONCE)) for at in range(0, count, AT_ONCE)]
            found: Scores = torch.cat(parts).cpu().numpy()
        return found
