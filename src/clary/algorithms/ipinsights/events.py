"""Events: which entity was seen at which IPv4 address.

    "user_1, 192.168.1.2" a line ─▶ the number of the entity's vector, the address as a number of 32 bits

Entities are hashed, so that any text is one, and one that was never seen has a vector, too.
"""

import os
import socket
import zlib
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from clary.algorithms.errors import UserError
from clary.algorithms.kit.channels import Channel
from clary.algorithms.kit.job import Job

Numbers = NDArray[np.int64]


class Events(NamedTuple):
    entities: Numbers
    addresses: Numbers

    def part(self, chosen: Numbers | slice) -> "Events":
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
    return {name: _read(channel, given["num_entity_vectors"]) for name, channel in job.channels.items()}


def encode(pairs: Iterable[tuple[str, str]], vectors: int) -> Events:
    """Raises `ValueError` for an address that is none."""
    entities, addresses = [], []
    for entity, address in pairs:
        entities.append(zlib.crc32(entity.encode()) % vectors)
        addresses.append(_number(address))
    return Events(np.array(entities, np.int64), np.array(addresses, np.int64))


def split(line: str) -> tuple[str, str]:
    """The two columns of a line; an entity may hold commas."""
    entity, comma, address = line.rpartition(",")
    if not comma:
        raise ValueError(f"{line.strip()!r:.100} has not two columns, an entity and its IPv4 address")
    return entity.strip().strip('"'), address.strip().strip('"')


def _number(address: str) -> int:
    try:
        return int.from_bytes(socket.inet_pton(socket.AF_INET, address), "big")
    except OSError as error:
        raise ValueError(f"{address!r:.100} is no IPv4 address") from error


def _read(channel: Channel, vectors: int) -> Events:
    parts = []
    for path in channel.files(0):
        pairs = []
        with open(path, encoding="utf-8", errors="replace") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    try:
                        pair = split(line)
                        _number(pair[1])
                    except ValueError as error:
                        raise UserError(f"{os.path.basename(path)}, line {number}: {error}") from error
                    pairs.append(pair)
        parts.append(encode(pairs, vectors))
    if not sum(len(part.entities) for part in parts):
        raise UserError(f"Unable to read data channel {channel.name!r}: there is no data in it.")
    return Events(np.concatenate([each.entities for each in parts]), np.concatenate([each.addresses for each in parts]))
