"""A trained model and its files: its sizes as JSON, and the network's weights."""

import json
import os
from dataclasses import asdict, dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from clary.algorithms.ipinsights.events import Events
from clary.algorithms.ipinsights.network import Network
from clary.algorithms.kit.device import device
from clary.algorithms.kit.weights import save_weights

WEIGHTS, SETTINGS = "model.pt", "model.json"
AT_ONCE = 10_000

Floats = NDArray[np.float32]


class Scored(NamedTuple):
    products: Floats
    entities: Floats
    addresses: Floats


@dataclass(frozen=True, slots=True)
class Sizes:
    vectors: int
    width: int
    layers: int


@dataclass(frozen=True, slots=True)
class Model:
    sizes: Sizes
    network: Network

    @classmethod
    def build(cls, sizes: Sizes) -> "Model":
        return cls(sizes, Network(sizes.vectors, sizes.width, sizes.layers).to(device()))

    def save(self, directory: str) -> None:
        save_weights(self.network.state_dict(), os.path.join(directory, WEIGHTS))
        with open(os.path.join(directory, SETTINGS), "w", encoding="utf-8") as file:
            json.dump(asdict(self.sizes), file)

    @classmethod
    def load(cls, directory: str) -> "Model":
        with open(os.path.join(directory, SETTINGS), encoding="utf-8") as file:
            model = cls.build(Sizes(**json.load(file)))
        model.network.load_state_dict(torch.load(os.path.join(directory, WEIGHTS), device()))
        return model

    def score(self, events: Events) -> Scored:
        self.network.eval()
        parts = []
        with torch.inference_mode():
            for at in range(0, len(events.entities), AT_ONCE):
                part = events.part(slice(at, at + AT_ONCE))
                parts.append([each.cpu().numpy() for each in self.network(*tensors(part))])
        return Scored(*(np.concatenate(each) for each in zip(*parts, strict=True)))


def tensors(events: Events) -> tuple[torch.Tensor, torch.Tensor]:
    entities, addresses = (torch.from_numpy(each.astype(np.int64)).to(device()) for each in events)
    return entities, addresses
