"""Events: which entity was seen at which IPv4 address.

    "user_1, 192.168.1.2" a line ─▶ the number of the entity's vector, the address as a number of 32 bits

Entities are hashed, so that any text is one, and one that was never seen has a vector, too.
"""

import os
import socket
import zlib
from array import array
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from clary.algorithms.errors import UserError
from clary.algorithms.kit.channels import Channel
from clary.algorithms.kit.job import Job, no_data


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


def encode(pairs: Iterable[tuple[str, str]], vectors: int) -> Events:
    """Raises `ValueError` for an address that is none."""
    return _collected(_numbers(pair, vectors) for pair in pairs)


def split(line: str) -> tuple[str, str]:
    """The two columns of a line; an entity may hold commas."""
    entity, comma, address = line.rpartition(",")
    if not comma:
        raise ValueError(f"{line.strip()!r:.100} has not two columns, an entity and its IPv4 address")
    return entity.strip().strip('"'), address.strip().strip('"')


def _numbers(pair: tuple[str, str], vectors: int) -> tuple[int, int]:
    entity, address = pair
    try:
        packed = socket.inet_pton(socket.AF_INET, address)
    except OSError as error:
        raise ValueError(f"{address!r:.100} is no IPv4 address") from error
    return zlib.crc32(entity.encode()) % vectors, int.from_bytes(packed, "big")


def _collected(events: Iterable[tuple[int, int]]) -> Events:
    entities, addresses = array("i"), array("I")
    for entity, address in events:
        entities.append(entity)
        addresses.append(address)
    return Events(np.array(entities, np.int32), np.array(addresses, np.uint32))


def _read(job: Job, channel: Channel) -> Events:
    vectors = job.parameters["num_entity_vectors"]
    found = _collected(event for path in channel.files(0) for event in _events(path, vectors))
    # Of several instances one may have none.
    if not len(found.entities) and job.team.size == 1:
        raise no_data(channel.name)
    return found


def _events(path: str, vectors: int) -> Iterator[tuple[int, int]]:
    with open(path, encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                try:
                    yield _numbers(split(line), vectors)
                except ValueError as error:
                    raise UserError(f"{os.path.basename(path)}, line {number}: {error}") from error
