"""One network of those of several instances, each of which learned from events of its own.

The vector of an entity, or of a prefix, is the mean of the instances', weighted by how many events each had of it: what
only one of them has seen is not held back by those that know nothing of it.
"""

import numpy as np
import torch
from numpy.typing import NDArray

from clary.algorithms.ipinsights.events import Events
from clary.algorithms.ipinsights.network import ROWS, Network, rows
from clary.algorithms.kit.team import Team
from clary.algorithms.kit.weights import average

AT_ONCE = 100_000


class Merger:
    def __init__(self, team: Team, network: Network, events: Events) -> None:
        self._team, self._network = team, network
        if team.size > 1:
            entities = np.bincount(events.entities, minlength=network.entities.num_embeddings)
            self._shares = [self._share(each) for each in (entities, _prefixes(events))]

    def merge(self) -> None:
        """Give all instances the same network."""
        if self._team.size == 1:
            return
        tables = self._network.entities.weight, self._network.prefixes.weight
        with torch.no_grad():
            for table, shares in zip(tables, self._shares, strict=True):
                [total] = self._team.sum(table.cpu().numpy() * shares[:, None])
                table.copy_(torch.from_numpy(total))
        average(self._team, self._network.bits)
        average(self._team, self._network.layers)

    def _share(self, own: NDArray[np.int64]) -> NDArray[np.float32]:
        """Of each row this instance's weight; all instances have as much of what no event has."""
        [total] = self._team.sum(own)
        shares: NDArray[np.float32] = np.full(len(own), 1 / self._team.size, np.float32)
        np.divide(own, total, out=shares, where=total > 0, casting="same_kind")
        return shares


def _prefixes(events: Events) -> NDArray[np.int64]:
    """How many events have each row of the table."""
    counts = np.zeros(ROWS, np.int64)
    for at in range(0, len(events.addresses), AT_ONCE):
        addresses = torch.from_numpy(events.addresses[at : at + AT_ONCE].astype(np.int64))
        counts += np.bincount(rows(addresses).numpy().ravel(), minlength=ROWS)
    return counts
