"""Vectors of entities and of addresses, whose product says how well they go together.

An address is the sum of vectors of its prefixes of 4, 8, … 32 bits, hashed into one table, and of its bits, then
through fully connected layers: addresses of a network are alike, and no two are the same.
"""

import torch
from torch import Tensor, nn

PREFIXES = tuple(range(4, 33, 4))
ROWS = 1 << 16
BITS = 32
MULTIPLIER = 0x9E3779B97F4A7C15 - (1 << 64)
"""Of Fibonacci hashing, as a signed number of 64 bits."""


class Network(nn.Module):  # type: ignore[misc]
    def __init__(self, vectors: int, width: int, layers: int) -> None:
        super().__init__()
        self.entities = nn.Embedding(vectors, width, sparse=True)
        self.prefixes = nn.EmbeddingBag(ROWS, width, mode="sum")
        self.bits = nn.Linear(BITS, width)
        self.layers = nn.ModuleList(nn.Linear(width, width) for _ in range(layers))
        for table in (self.entities, self.prefixes):
            nn.init.normal_(table.weight, std=width**-0.5)

    def address(self, numbers: Tensor) -> Tensor:
        """(n, width) of addresses as numbers."""
        shifts = torch.arange(BITS, device=numbers.device)
        bits = (numbers.unsqueeze(1) >> shifts & 1).float() * 2 - 1
        values = self.prefixes(rows(numbers)) + self.bits(bits) / BITS**0.5
        for layer in self.layers:
            values = values + layer(torch.relu(values))
        return values

    def forward(self, entities: Tensor, addresses: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The products, and both vectors of each event."""
        one, other = self.entities(entities), self.address(addresses)
        return (one * other).sum(1), one, other


def rows(numbers: Tensor) -> Tensor:
    """(n, prefixes) rows of the table."""
    places = torch.tensor(PREFIXES, device=numbers.device)
    prefixes = numbers.unsqueeze(1) >> (BITS - places)
    return ((prefixes * 64 + places) * MULTIPLIER >> 40) & (ROWS - 1)
