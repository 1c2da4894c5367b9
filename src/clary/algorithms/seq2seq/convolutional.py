"""Convolutional encoders and decoders, each of whose layers sees a few words more than the one below it.

Gehring et al., Convolutional Sequence to Sequence Learning, https://arxiv.org/abs/1705.03122, as Sockeye has it, which
AWS's algorithm stands on: what is attended to is the encoder's last layer alone.

    words + places ─▶ linear ─▶ [dropout ─▶ convolution ─▶ activation (+ attention) + input] for each layer
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import glu, pad, softplus

from clary.algorithms.seq2seq.attention import Seen, State, attend

ACTIVATIONS = {"glu": glu, "relu": torch.relu, "sigmoid": torch.sigmoid, "softrelu": softplus, "tanh": torch.tanh}


class ConvolutionalEncoder(nn.Module):  # type: ignore[misc]
    def __init__(self, given: Mapping[str, Any]) -> None:
        super().__init__()
        self.width, self.reach = given["cnn_num_hidden"], given["cnn_kernel_width_encoder"]
        self.placed = Placed(given["num_embed_source"], given["max_seq_len_source"], self.width)
        self.blocks = nn.ModuleList(Block(given, self.reach) for _ in range(given["num_layers_encoder"]))

    def forward(self, embedded: Tensor, known: Tensor) -> Tensor:
        """(batch, words, width)."""
        there, before = known.unsqueeze(2), (self.reach - 1) // 2
        values = self.placed(embedded, torch.arange(known.shape[1], device=known.device)) * there
        for block in self.blocks:
            found = block(pad(values, (0, 0, before, self.reach - 1 - before)))
            values = (values + found) * there
        return values


class ConvolutionalDecoder(nn.Module):  # type: ignore[misc]
    """Its state is how many words there were, and of each layer the last inputs, which the next word's sees as well."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        super().__init__()
        self.width, self.reach = given["cnn_num_hidden"], given["cnn_kernel_width_decoder"]
        # What begins a sentence is before its first word.
        self.placed = Placed(given["num_embed_target"], given["max_seq_len_target"] + 1, self.width)
        self.blocks = nn.ModuleList(Block(given, self.reach) for _ in range(given["num_layers_decoder"]))

    def keys(self, read: Tensor) -> Tensor:
        return read

    def begin(self, seen: Seen) -> State:
        count = len(seen.read)
        nothing = seen.read.new_zeros(count, self.reach - 1, self.width)
        return [seen.read.new_zeros(count, dtype=torch.long), *[nothing] * len(self.blocks)]

    def forward(self, embedded: Tensor, seen: Seen, state: State) -> tuple[Tensor, Tensor, State]:
        """What is known after each word of the target, where it attended to (the layers' mean), and the state then."""
        words = embedded.shape[1]
        places = state[0].unsqueeze(1) + torch.arange(words, device=embedded.device)
        values, looked = self.placed(embedded, places), []
        after = [state[0] + words]
        for block, before in zip(self.blocks, state[1:], strict=True):
            window = torch.cat([before, values], dim=1)
            found = block(window)
            context, shares = attend(found @ seen.keys.transpose(1, 2), seen)
            values = values + found + context
            looked.append(shares)
            after.append(window[:, words:])
        return values, torch.stack(looked).mean(0), after


class Placed(nn.Module):  # type: ignore[misc]
    """Tells words at one place from those at another, and brings them to the width of the layers."""

    def __init__(self, embedding: int, longest: int, width: int) -> None:
        super().__init__()
        self.places = nn.Embedding(longest, embedding)
        self.widen = nn.Linear(embedding, width, bias=False)

    def forward(self, embedded: Tensor, places: Tensor) -> Tensor:
        return self.widen(embedded + self.places(places))


class Block(nn.Module):  # type: ignore[misc]
    """(batch, words + reach - 1, width) → (batch, words, width)."""

    def __init__(self, given: Mapping[str, Any], reach: int) -> None:
        super().__init__()
        width, self.activation = given["cnn_num_hidden"], given["cnn_activation_type"]
        self.dropout = nn.Dropout(given["cnn_hidden_dropout"])
        self.convolution = nn.Conv1d(width, width * (2 if self.activation == "glu" else 1), reach)

    def forward(self, values: Tensor) -> Tensor:
        found = self.convolution(self.dropout(values).transpose(1, 2)).transpose(1, 2)
        return ACTIVATIONS[self.activation](found)
