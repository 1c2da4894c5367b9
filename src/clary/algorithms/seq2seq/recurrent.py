"""Recurrent encoders and decoders: the first reads a sentence both ways, the second attends to it.

Luong et al., Effective Approaches to Attention-based Neural Machine Translation, https://arxiv.org/abs/1508.04025, and
for `mlp` Bahdanau et al., https://arxiv.org/abs/1409.0473; attention in upper layers is that of Wu et al.,
https://arxiv.org/abs/1609.08144. What was attended to does not go back into the decoder's first layer, so that all its
steps are trained at once.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from clary.algorithms.seq2seq.attention import Seen, State, attend

CELLS = {"lstm": nn.LSTM, "gru": nn.GRU}
STATES = {"lstm": 2, "gru": 1}
"""Tensors that a cell remembers."""


class RecurrentEncoder(nn.Module):  # type: ignore[misc]
    def __init__(self, given: Mapping[str, Any]) -> None:
        super().__init__()
        cell, self.width = CELLS[given["rnn_cell_type"]], given["rnn_num_hidden"]
        # Of the two directions of the first layer each has half of the units.
        first = cell(given["num_embed_source"], self.width // 2, batch_first=True, bidirectional=True)
        others = (cell(self.width, self.width, batch_first=True) for _ in range(given["num_layers_encoder"] - 1))
        self.layers = nn.ModuleList([first, *others])
        self.residual = _residual(given)

    def forward(self, embedded: Tensor, known: Tensor) -> Tensor:
        """(batch, words, width)."""
        values, lengths = embedded, known.sum(1).cpu()
        for number, layer in enumerate(self.layers):
            packed = pack_padded_sequence(values, lengths, batch_first=True, enforce_sorted=False)
            read, _ = pad_packed_sequence(layer(packed)[0], batch_first=True, total_length=values.shape[1])
            values = read + values if number >= self.residual else read
        return values


class RecurrentDecoder(nn.Module):  # type: ignore[misc]
    def __init__(self, given: Mapping[str, Any]) -> None:
        super().__init__()
        self.width = hidden = given["rnn_num_hidden"]
        count, kind = given["num_layers_decoder"], given["rnn_cell_type"]
        self.upper, self.residual = given["rnn_attention_in_upper_layers"], _residual(given)
        self.remembered, self.begin_state = STATES[kind], given["rnn_decoder_state_init"]
        widths = [given["num_embed_target"], *[hidden * (2 if self.upper else 1)] * (count - 1)]
        self.layers = nn.ModuleList(CELLS[kind](width, hidden, batch_first=True) for width in widths)
        self.first = nn.ModuleList(nn.Linear(hidden, hidden) for _ in range(count))
        self.attention = Attention(given["rnn_attention_type"], hidden, given["rnn_attention_num_hidden"] or hidden)
        self.join = nn.Linear(2 * hidden, hidden)
        self.dropout = nn.Dropout(given["rnn_decoder_hidden_dropout"])

    def keys(self, read: Tensor) -> Tensor:
        return self.attention.keys(read)

    def begin(self, seen: Seen) -> State:
        lengths = seen.known.sum(1)
        if self.begin_state == "last":
            summary = seen.read[torch.arange(len(lengths), device=lengths.device), lengths - 1]
        else:
            summary = seen.read.sum(1) / lengths.unsqueeze(1)
        if self.begin_state == "zero":
            summary = torch.zeros_like(summary)
        states = [torch.tanh(layer(summary)) for layer in self.first]
        return [each for state in states for each in (state, torch.zeros_like(state))[: self.remembered]]

    def forward(self, embedded: Tensor, seen: Seen, state: State) -> tuple[Tensor, Tensor, State]:
        """What is known after each word of the target, where it attended to, and the state after the last."""
        lower = 1 if self.upper else len(self.layers)
        values, after = self._through(range(lower), embedded, None, state)
        context, shares = attend(self.attention(values, seen), seen)
        values, last = self._through(range(lower, len(self.layers)), values, context, state)
        joined = torch.tanh(self.join(torch.cat([values, context], dim=2)))
        return self.dropout(joined), shares, after + last

    def _through(
        self, numbers: Iterable[int], values: Tensor, context: Tensor | None, state: State
    ) -> tuple[Tensor, State]:
        """Through the layers of these numbers; those above the first look see what it saw."""
        after: State = []
        for number in numbers:
            given = values if context is None else torch.cat([values, context], dim=2)
            start = number * self.remembered
            found, left = self.layers[number](given, _for_cell(state[start : start + self.remembered]))
            values = found + values if number >= self.residual else found
            after += [each.squeeze(0) for each in (left if self.remembered > 1 else [left])]
        return values, after


class Attention(nn.Module):  # type: ignore[misc]
    def __init__(self, kind: str, width: int, hidden: int) -> None:
        super().__init__()
        self.kind = kind
        if kind == "mlp":
            self.key, self.query = nn.Linear(width, hidden, bias=False), nn.Linear(width, hidden)
            self.weigh = nn.Linear(hidden, 1, bias=False)
        elif kind == "bilinear":
            self.key = nn.Linear(width, width, bias=False)

    def keys(self, read: Tensor) -> Tensor:
        return self.key(read) if self.kind in ("mlp", "bilinear") else read

    def forward(self, values: Tensor, seen: Seen) -> Tensor:
        """(batch, target words, source words): weights, before they are shares."""
        if self.kind == "mlp":
            mixed = torch.tanh(self.query(values).unsqueeze(2) + seen.keys.unsqueeze(1))
            return self.weigh(mixed).squeeze(3)
        if self.kind == "fixed":
            last = nn.functional.one_hot(seen.known.sum(1) - 1, seen.known.shape[1]).to(values.dtype)
            return last.log().unsqueeze(1).expand(-1, values.shape[1], -1)
        return values @ seen.keys.transpose(1, 2)


def _residual(given: Mapping[str, Any]) -> float:
    """The first layer, counted from 0, whose input is added to its output: above the lowest, which widens."""
    return max(given["rnn_first_residual_layer"] - 1, 1) if given["rnn_residual_connections"] else math.inf


def _for_cell(state: State) -> Any:
    """As torch's cells take it."""
    tensors = tuple(each.unsqueeze(0) for each in state)
    return tensors if len(tensors) > 1 else tensors[0]
