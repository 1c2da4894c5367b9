"""A variational autoencoder of word counts: the Gaussian softmax topic model of Miao, Grefenstette and Blunsom,
"Discovering Discrete Latent Topics with Neural Variational Inference" (2017).

    counts ─ encoder ─▶ mean, variance ─ sample ─▶ softmax ─▶ topic weights ─ topics ─▶ probability of each word

The means are normalised over each batch, since the divergence would else draw them all to the prior before the topics
have come apart: Zhu et al., "A Batch Normalized Inference Network Keeps the KL Vanishing Away" (2020).
"""

import json
import os
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import batch_norm, softmax

from clary.algorithms.kit.base import Columns
from clary.algorithms.kit.batches import Batch
from clary.algorithms.kit.parameters import AUTO
from clary.algorithms.kit.weights import save_weights

WEIGHTS, SHAPE = "model.pt", "model.json"
ACTIVATIONS = {"sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "relu": nn.ReLU}
GAINS = {"sigmoid": 4.0, "tanh": 5 / 3, "relu": 2**0.5}
"""By which documents differ in the last layer as much as in the first."""
LEAST = 1e-10
"""Probability of a word that no topic has."""


class Normal(nn.BatchNorm1d):  # type: ignore[misc]
    """A batch of one row, which has no spread of its own, is normalised by that of those before it."""

    def forward(self, rows: Tensor) -> Tensor:
        if self.training and len(rows) == 1:
            return batch_norm(rows, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps)
        return super().forward(rows)


class Network(nn.Module):  # type: ignore[misc]
    """Inputs are counts `(documents, words)`."""

    def __init__(self, words: int, topics: int, layers: list[int], activation: str, *, normalised: bool) -> None:
        super().__init__()
        self.shape = {
            "words": words,
            "topics": topics,
            "layers": layers,
            "activation": activation,
            "normalised": normalised,
        }
        steps: list[nn.Module] = []
        for width, size in zip([words, *layers], layers, strict=False):
            steps += [
                nn.Linear(width, size),
                *([Normal(size)] if normalised else []),
                ACTIVATIONS[activation](),
            ]
        self.encoder = nn.Sequential(*steps)
        for layer in self.encoder:
            if isinstance(layer, nn.Linear):
                nn.init.xavier_normal_(layer.weight, GAINS[activation])
                nn.init.zeros_(layer.bias)
        self.mean = nn.Sequential(nn.Linear(layers[-1], topics), Normal(topics, affine=False))
        self.log_variance = nn.Linear(layers[-1], topics)
        # Starts as the prior has it, whatever the encoder says.
        nn.init.zeros_(self.log_variance.weight)
        nn.init.zeros_(self.log_variance.bias)
        # Topics that differ from the start come apart sooner.
        self.topics = nn.Parameter(torch.randn(topics, words))
        self.usual = nn.Parameter(torch.zeros(words))
        """What makes a word likely in all topics."""

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> "Network":
        topics = parameters["num_topics"]
        layers = [3 * topics, 2 * topics] if (given := parameters["encoder_layers"]) == AUTO else given
        activation = parameters["encoder_layers_activation"]
        return cls(parameters["feature_dim"], topics, layers, activation, normalised=parameters["batch_norm"])

    @property
    def feature_dim(self) -> int:
        return len(self.usual)

    def encode(self, counts: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and logarithm of the variance of each document, before the softmax."""
        hidden = self.encoder(torch.log1p(counts))
        return self.mean(hidden), self.log_variance(hidden)

    def losses(self, counts: Tensor) -> tuple[Tensor, Tensor]:
        """Of each document, how badly it is told from its topics (negative log-likelihood), and how far those are
        from the prior (Kullback and Leibler's divergence). While it learns, the topics are drawn."""
        mean, log_variance = self.encode(counts)
        drawn = mean + torch.randn_like(mean) * (log_variance / 2).exp() if self.training else mean
        expected = softmax(drawn, dim=1) @ self.topic_words()
        likelihood = (counts * (expected + LEAST).log()).sum(dim=1)
        divergence = (log_variance.exp() + mean.square() - 1 - log_variance).sum(dim=1) / 2
        return -likelihood, divergence

    def topic_words(self) -> Tensor:
        """The probability of each word in each topic, `(topics, words)`."""
        return softmax(self.topics + self.usual, dim=1)

    def predict(self, batch: Batch, _options: Mapping[str, str]) -> Columns:
        with torch.inference_mode():
            weights = softmax(self.encode(torch.from_numpy(batch.dense()))[0], dim=1)
        return {"topic_weights": np.asarray(weights)}

    def save(self, directory: str) -> None:
        save_weights(self.state_dict(), os.path.join(directory, WEIGHTS))
        with open(os.path.join(directory, SHAPE), "w") as file:
            json.dump(self.shape, file)

    @classmethod
    def load(cls, directory: str) -> "Network":
        with open(os.path.join(directory, SHAPE)) as file:
            network = cls(**json.load(file))
        network.load_state_dict(torch.load(os.path.join(directory, WEIGHTS), map_location="cpu", weights_only=True))
        # A request takes microseconds: to share it out among threads would take longer.
        torch.set_num_threads(1)
        network.eval()
        return network
