"""Events: which entity was seen at which IPv4 address.

    "user_1, 192.168.1.2" a line ─▶ the number of the entity's vector, the address as a number of 32 bits

Entities are hashed, so that any text is one, and one that was never seen has a vector, too.
"""

import socket
import zlib
from array import array
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from clary.algorithms.errors import UserError
from clary.algorithms.kit.channels import Channel
from clary.algorithms.kit.files import text_lines
from clary.algorithms.kit.job import Job, no_data

Pair = tuple[str, str, str]
"""Where it stands, the entity, its address."""


class Events(NamedTuple):
    """Eight bytes each, so that a hundred million are held in less than a gigabyte."""

    entities: NDArray[np.integer[Any]]
    addresses: NDArray[np.integer[Any]]

    def part(self, chosen: NDArray[np.int64] | slice) -> "Events":
        return Events(self.entities[chosen], self.addresses[chosen])


def prepare(job: Job) -> dict[str, Events]:
    """The events of each channel; raises `UserError` for what is not as it must be."""
    given = job.parameters
    rates = given["random_negative_sampling_rate"], given["shuffled_negative_sampling_rate"]
    if not 1 <= sum(rates) <= 500:
        raise UserError(
            f"random_negative_sampling_rate ({rates[0]}) and shuffled_negative_sampling_rate ({rates[1]}) must add up "
            "to 1 at least and 500 at most."
        )
    return {name: _read(job, channel) for name, channel in job.channels.items()}


def encode(pairs: Iterable[Pair], vectors: int) -> Events:
    """Raises `UserError` for an address that is none."""
    entities, addresses = array("i"), array("I")
    for where, entity, address in pairs:
        try:
            addresses.append(_number(address))
        except ValueError as error:
            raise UserError(f"{where}: {error}") from error
        entities.append(zlib.crc32(entity.encode()) % vectors)
    return Events(np.array(entities, np.int32), np.array(addresses, np.uint32))


def split(lines: Iterable[tuple[str, str]]) -> Iterator[Pair]:
    """The two columns of lines, which come with where they stand; an entity may hold commas. Raises `UserError`."""
    for where, line in lines:
        entity, comma, address = line.rpartition(",")
        if not comma or not entity.strip():
            raise UserError(f"{where}: {line.strip()!r:.100} has not two columns, an entity and its IPv4 address")
        yield where, entity.strip().strip('"'), address.strip().strip('"')


def _number(address: str) -> int:
    try:
        return int.from_bytes(socket.inet_pton(socket.AF_INET, address), "big")
    except OSError as error:
        raise ValueError(f"{address!r:.100} is no IPv4 address") from error


def _read(job: Job, channel: Channel) -> Events:
    pairs = (pair for path in channel.files(0) for pair in split(text_lines(path)))
    found = encode(pairs, job.parameters["num_entity_vectors"])
    # Of several instances one may have none.
    if not len(found.entities) and job.team.size == 1:
        raise no_data(channel.name)
    return found
