"""A trained model and its files: its hyperparameters as JSON, and the network's weights."""

import json
import os
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from clary.algorithms.kit.device import device
from clary.algorithms.object2vec.hyperparameters import encoder_settings
from clary.algorithms.object2vec.network import Network
from clary.algorithms.object2vec.pairs import Side, Tokens

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
        torch.save(self.network.state_dict(), os.path.join(directory, WEIGHTS))
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

    def scores(self, left: list[Tokens], right: list[Tokens]) -> Scores:
        """Of each pair the chances of the classes, or its one value."""
        parts = []
        self.network.eval()
        with torch.inference_mode():
            for at in range(0, len(left), AT_ONCE):
                found = self.network(self.batch(0, left[at : at + AT_ONCE]), self.batch(1, right[at : at + AT_ONCE]))
                parts.append(found.softmax(1) if self.given["output_layer"] == "softmax" else found)
        result: Scores = torch.cat(parts).cpu().numpy()
        return result

    def embeddings(self, number: int, objects: list[Tokens]) -> Scores:
        """What the encoder of that number makes of each object."""
        self.network.eval()
        with torch.inference_mode():
            parts = [
                self.network.encoders[number](self.batch(number, objects[at : at + AT_ONCE]))
                for at in range(0, len(objects), AT_ONCE)
            ]
        result: Scores = torch.cat(parts).cpu().numpy()
        return result

    def batch(self, number: int, objects: list[Tokens]) -> torch.Tensor:
        pad = self.network.encoders[number].pad
        rows = [torch.as_tensor(each) for each in objects]
        return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=pad).to(device())
