"""A trained model: what it looks at, its network, and its files.

model.json   plan and shape        model.pt   the network's weights
"""

import json
import os
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch

from clary.algorithms.forecasting_deepar.calendar import Frequency
from clary.algorithms.forecasting_deepar.network import Network
from clary.algorithms.forecasting_deepar.series import Numbers, Series, Shape
from clary.algorithms.forecasting_deepar.windows import Examples, Plan, Windows, lagged
from clary.algorithms.kit.device import device
from clary.algorithms.kit.weights import save_weights

AT_ONCE = 4096
"""Sample paths that are drawn together."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Of the network."""

    embedding_dimension: int
    cells: int
    layers: int
    dropout: float
    likelihood: str


@dataclass(slots=True)
class Model:
    plan: Plan
    shape: Shape
    sizes: Sizes
    network: Network
    device: str

    @classmethod
    def build(cls, plan: Plan, shape: Shape, sizes: Sizes) -> "Model":
        calendar = len(plan.frequency.features(np.array([0], "datetime64[m]")))
        network = Network(
            lags=len(plan.lags),
            features=calendar + 2 + shape.dynamic,  # The age of the series, and whether the value before is known.
            cardinality=shape.cardinality,
            embedding_dimension=sizes.embedding_dimension,
            cells=sizes.cells,
            layers=sizes.layers,
            dropout=sizes.dropout,
            likelihood=sizes.likelihood,
        )
        return cls(plan, shape, sizes, network.to(device()), device())

    def save(self, directory: str) -> None:
        described = {"plan": asdict(self.plan), "shape": asdict(self.shape), "sizes": asdict(self.sizes)}
        save_weights(self.network.state_dict(), os.path.join(directory, "model.pt"))
        with open(os.path.join(directory, "model.json"), "w", encoding="utf-8") as file:
            json.dump(described, file, indent=1)

    @classmethod
    def load(cls, directory: str) -> "Model":
        with open(os.path.join(directory, "model.json"), encoding="utf-8") as file:
            described = json.load(file)
        plan = Plan(**described["plan"] | {"frequency": Frequency(**described["plan"]["frequency"])})
        shape = Shape(tuple(described["shape"]["cardinality"]), described["shape"]["dynamic"])
        model = cls.build(plan, shape, Sizes(**described["sizes"]))
        model.network.load_state_dict(torch.load(os.path.join(directory, "model.pt"), model.device))
        model.network.eval()
        return model

    def losses(self, examples: Examples) -> torch.Tensor:
        """The mean loss of the values that are known."""
        put = self._put
        steps = examples.target.shape[1]
        inputs = lagged(examples.values, self.plan.lags, self.plan.lags[-1], steps)
        static = self.network.static(put(examples.scale), put(examples.categories))
        parameters, _ = self.network(put(inputs), put(examples.features), static)
        losses = self.network.loss(parameters, put(examples.target), put(examples.scale).unsqueeze(1))
        known = put(examples.observed)
        return torch.where(known, losses, 0).sum() / known.sum().clamp(min=1)

    def forecast(self, series: list[Series], samples: int, *, back: int = 0) -> Numbers:
        """(series, samples, prediction_length): paths of what follows each series, or all of it but `back` steps."""
        windows = Windows(series, self.plan)
        chosen, moments = windows.ends(back)
        size = max(1, AT_ONCE // samples)
        parts = [
            self._draw(windows.take(chosen[at : at + size], moments[at : at + size]), samples)
            for at in range(0, len(series), size)
        ]
        return np.concatenate(parts)

    def _draw(self, examples: Examples, samples: int) -> Numbers:
        self.network.eval()
        with torch.inference_mode():
            state, static = self._look(examples)
            state = tuple(each.repeat_interleave(samples, dim=1) for each in state)
            drawn = self._walk(examples, samples, state, static.repeat_interleave(samples, dim=0))
        result: Numbers = drawn.reshape(len(examples.scale), samples, -1).cpu().numpy()
        return result

    def _look(self, examples: Examples) -> tuple[Any, torch.Tensor]:
        """The network's state after the context, and what it knows of each series."""
        plan, put = self.plan, self._put
        static = self.network.static(put(examples.scale), put(examples.categories))
        context = lagged(examples.values, plan.lags, plan.lags[-1], plan.context)
        _, state = self.network(put(context), put(examples.features[:, : plan.context]), static)
        return state, static

    def _walk(self, examples: Examples, samples: int, state: Any, static: torch.Tensor) -> torch.Tensor:
        """Step by step into what is not known, each path by its own values."""
        plan, network = self.plan, self.network
        scale, features, values = (
            self._put(each).repeat_interleave(samples, dim=0)
            for each in (examples.scale, examples.features, examples.values)
        )
        features[:, plan.context + 1 :, -1] = 1  # What was drawn is known.
        back = torch.tensor(plan.lags, device=self.device)
        paths = []
        for step in range(plan.context, plan.context + plan.prediction):
            place = plan.lags[-1] + step
            inputs = values[:, place - back].unsqueeze(1)
            parameters, state = network(inputs, features[:, step : step + 1], static, state)
            drawn = network.sample(parameters[:, 0], scale)
            values[:, place] = drawn / scale
            paths.append(drawn)
        return torch.stack(paths, dim=1)

    def _put(self, array: object) -> torch.Tensor:
        return torch.as_tensor(array, device=self.device)
