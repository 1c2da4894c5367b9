"""The network: two encoders, a comparator of what they make of a pair, and a perceptron that judges it.

    in0 ─▶ embedding ─▶ encoder ─▶ u ─┐
                                      ├─▶ u·v, (u, v), |u - v| ─▶ layers ─▶ scores
    in1 ─▶ embedding ─▶ encoder ─▶ v ─┘

The encoders `hcnn` and `bilstm` are those of Conneau et al. 2017, https://arxiv.org/abs/1705.02364: convolutions whose
layers are each pooled, and a bidirectional LSTM, pooled over time by the maximum.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

ACTIVATIONS = {"tanh": nn.Tanh, "relu": nn.ReLU, "linear": nn.Identity}
LEAST = -1e9


class Encoder(nn.Module):  # type: ignore[misc]
    """(batch, tokens) padded with the number after the last token's → (batch, width)."""

    def __init__(self, settings: Mapping[str, Any], width: int, dropout: float, embedding: nn.Embedding) -> None:
        super().__init__()
        self.embedding, self.kind, self.pad = embedding, settings["network"], settings["vocab_size"]
        self.dropout = nn.Dropout(dropout)
        inner, layers = embedding.embedding_dim, settings["layers"]
        self.width = inner if self.kind == "pooled_embedding" else width
        if self.kind == "hcnn":
            filters, reach = -(-width // layers), settings["cnn_filter_width"]
            self.layers = nn.ModuleList(
                nn.Conv1d(inner if number == 0 else filters, filters, reach, padding="same") for number in range(layers)
            )
        elif self.kind == "bilstm":
            self.layers = nn.LSTM(inner, -(-width // 2), layers, batch_first=True, bidirectional=True)

    def forward(self, tokens: Tensor) -> Tensor:
        known = (tokens != self.pad).unsqueeze(2)
        values = self.dropout(self.embedding(tokens)) * known
        if self.kind == "pooled_embedding":
            return values.sum(1) / known.sum(1)
        if self.kind == "bilstm":
            packed = nn.utils.rnn.pack_padded_sequence(
                values, known.sum((1, 2)).cpu(), batch_first=True, enforce_sorted=False
            )
            read, _ = nn.utils.rnn.pad_packed_sequence(self.layers(packed)[0], batch_first=True)
            return _peak(read, known[:, : read.shape[1]])[:, : self.width]
        pooled = []
        for layer in self.layers:
            values = torch.relu(layer(values.transpose(1, 2)).transpose(1, 2)) * known
            pooled.append(_peak(values, known))
        return torch.cat(pooled, dim=1)[:, : self.width]


class Network(nn.Module):  # type: ignore[misc]
    def __init__(self, given: Mapping[str, Any], encoders: tuple[Mapping[str, Any], Mapping[str, Any]]) -> None:
        """`given` are the job's hyperparameters, `encoders` the settings of each encoder."""
        super().__init__()
        sparse = given["token_embedding_storage_type"] == "row_sparse"
        embeddings = [
            nn.Embedding(each["vocab_size"] + 1, each["token_embedding_dim"], sparse=sparse) for each in encoders
        ]
        if given["tied_token_embedding_weight"]:
            embeddings[1] = embeddings[0]
        self.encoders = nn.ModuleList(
            Encoder(each, given["enc_dim"], given["dropout"], embedding)
            for each, embedding in zip(encoders, embeddings, strict=True)
        )
        self.comparators = given["comparator_list"]
        width = self.encoders[0].width * sum(2 if name == "concat" else 1 for name in self.comparators)
        layers: list[nn.Module] = []
        for _ in range(given["mlp_layers"]):
            activation = ACTIVATIONS[given["mlp_activation"]]()
            layers += [nn.Linear(width, given["mlp_dim"]), activation, nn.Dropout(given["dropout"])]
            width = given["mlp_dim"]
        classes = given["num_classes"] if given["output_layer"] == "softmax" else 1
        self.judge = nn.Sequential(*layers, nn.Linear(width, classes))

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        """(batch, classes) logits, or (batch, 1) values."""
        one, other = self.encoders[0](left), self.encoders[1](right)
        parts = {
            "hadamard": lambda: [one * other],
            "concat": lambda: [one, other],
            "abs_diff": lambda: [(one - other).abs()],
        }
        return self.judge(torch.cat([part for name in self.comparators for part in parts[name]()], dim=1))


def _peak(values: Tensor, known: Tensor) -> Tensor:
    return values.masked_fill(~known, LEAST).amax(1)
