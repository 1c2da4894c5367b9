"""The network: an encoder that reads a sentence both ways, and a decoder that attends to it.

Luong et al., Effective Approaches to Attention-based Neural Machine Translation, https://arxiv.org/abs/1508.04025, and
for `mlp` Bahdanau et al., https://arxiv.org/abs/1409.0473. What was attended to does not go back into the decoder, so
that all its steps are trained at once.
"""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from clary.algorithms.seq2seq.sentences import PAD


@dataclass(frozen=True, slots=True)
class Sizes:
    source_words: int
    target_words: int
    source_embedding: int
    target_embedding: int
    source_dropout: float
    target_dropout: float
    hidden: int
    encoder_layers: int
    decoder_layers: int
    cell: str
    first_residual: int
    """The first layer, counted from 1, whose input is added to its output; 0 for none."""
    begin_state: str
    """`last`, `avg` or `zero`."""
    attention: str
    attention_hidden: int
    hidden_dropout: float


class Stack(nn.Module):  # type: ignore[misc]
    """Recurrent layers, one after the other."""

    def __init__(self, kind: str, width: int, hidden: int, layers: int, first_residual: int, both_ways: bool) -> None:
        super().__init__()
        cell = {"lstm": nn.LSTM, "gru": nn.GRU}[kind]
        # Of the two directions of an encoder's first layer each has half of the units.
        first = cell(width, hidden // 2 if both_ways else hidden, batch_first=True, bidirectional=both_ways)
        self.layers = nn.ModuleList([first, *(cell(hidden, hidden, batch_first=True) for _ in range(layers - 1))])
        self.first_residual = first_residual

    def forward(
        self, values: Tensor, states: list[Any] | None = None, lengths: Tensor | None = None
    ) -> tuple[Tensor, list[Any]]:
        """With `lengths`, what comes after them is not read."""
        after = []
        for number, layer in enumerate(self.layers, 1):
            given = values
            if lengths is not None:
                packed = pack_padded_sequence(values, lengths, batch_first=True, enforce_sorted=False)
                read, state = layer(packed)
                values, _ = pad_packed_sequence(read, batch_first=True, total_length=given.shape[1])
            else:
                values, state = layer(values, states[number - 1] if states else None)
            if self.first_residual and number >= max(self.first_residual, 2):
                values = values + given
            after.append(state)
        return values, after


class Network(nn.Module):  # type: ignore[misc]
    """Sentences are (batch, words), padded with PAD on the right."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.sizes = sizes
        hidden = sizes.hidden + sizes.hidden % 2
        self.source = nn.Embedding(sizes.source_words, sizes.source_embedding, padding_idx=PAD)
        self.target = nn.Embedding(sizes.target_words, sizes.target_embedding, padding_idx=PAD)
        residual = sizes.first_residual
        self.encoder = Stack(sizes.cell, sizes.source_embedding, hidden, sizes.encoder_layers, residual, True)
        self.decoder = Stack(sizes.cell, sizes.target_embedding, hidden, sizes.decoder_layers, residual, False)
        self.begin = nn.ModuleList(nn.Linear(hidden, hidden) for _ in range(sizes.decoder_layers))
        width = sizes.attention_hidden
        self.keys = nn.Linear(hidden, width if sizes.attention == "mlp" else hidden, bias=False)
        if sizes.attention == "mlp":
            self.query, self.weigh = nn.Linear(hidden, width), nn.Linear(width, 1, bias=False)
        self.join = nn.Linear(2 * hidden, hidden)
        self.words = nn.Linear(hidden, sizes.target_words)
        self.source_dropout, self.target_dropout = nn.Dropout(sizes.source_dropout), nn.Dropout(sizes.target_dropout)
        self.hidden_dropout = nn.Dropout(sizes.hidden_dropout)

    def encode(self, source: Tensor) -> tuple[Tensor, Tensor, list[Any]]:
        """(batch, words, hidden), which words there are, and the decoder's first state."""
        known = source != PAD
        lengths = known.sum(1).clamp(min=1)
        read, _ = self.encoder(self.source_dropout(self.source(source)), lengths=lengths.cpu())
        return read, known, self._begin(read, known)

    def decode(self, words: Tensor, read: Tensor, known: Tensor, states: list[Any]) -> tuple[Tensor, Tensor, list[Any]]:
        """Of each word of the target what comes next (logits), where it attended to, and the state after the last."""
        hidden, states = self.decoder(self.target_dropout(self.target(words)), states)
        attended = self._attend(hidden, read, known)
        context = attended @ read
        joined = self.hidden_dropout(torch.tanh(self.join(torch.cat([hidden, context], dim=2))))
        return self.words(joined), attended, states

    def _begin(self, read: Tensor, known: Tensor) -> list[Any]:
        lengths = known.sum(1).clamp(min=1)
        if self.sizes.begin_state == "last":
            summary = read[torch.arange(len(read), device=read.device), lengths - 1]
        else:
            summary = read.sum(1) / lengths.unsqueeze(1)
        if self.sizes.begin_state == "zero":
            summary = torch.zeros_like(summary)
        states = [torch.tanh(layer(summary)).unsqueeze(0) for layer in self.begin]
        return [(state, torch.zeros_like(state)) for state in states] if self.sizes.cell == "lstm" else states

    def _attend(self, hidden: Tensor, read: Tensor, known: Tensor) -> Tensor:
        """(batch, target words, source words): shares that add up to one."""
        if self.sizes.attention == "mlp":
            mixed = torch.tanh(self.query(hidden).unsqueeze(2) + self.keys(read).unsqueeze(1))
            weights = self.weigh(mixed).squeeze(3)
        elif self.sizes.attention == "fixed":
            weights = hidden.new_zeros(hidden.shape[0], hidden.shape[1], read.shape[1])
        else:
            keys = self.keys(read) if self.sizes.attention == "bilinear" else read
            weights = hidden @ keys.transpose(1, 2)
        return weights.masked_fill(~known.unsqueeze(1), -math.inf).softmax(2)

    def initialise(self, kind: str, scale: float, factor: str) -> None:
        """As MXNet's initialisers of these names do, which AWS's hyperparameters are of."""
        for name, parameter in self.named_parameters():
            if parameter.dim() < 2 or name in ("source.weight", "target.weight"):
                continue
            out, within = parameter.shape
            units = {"in": within, "out": out, "avg": (within + out) / 2}[factor]
            bound = abs(scale) if kind == "uniform" else math.sqrt(abs(scale) / units)
            nn.init.uniform_(parameter, -bound, bound)
