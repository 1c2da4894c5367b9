"""Pairs of sentences as numbers of words, and the vocabularies that say which.

train.rec: records with the int32 tensors `source` and `target`       vocab.src.json, vocab.trg.json: {"word": number}
A vocabulary begins with <pad>, <unk>, <s> and </s>, as AWS's script for it makes one.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from clary.algorithms.errors import UserError
from clary.algorithms.kit.channels import Channel
from clary.algorithms.kit.files import raw_records
from clary.algorithms.kit.job import Job, no_data
from clary.algorithms.kit.ragged import Numbers, Ragged
from clary.toolkits.protobuf import varints
from clary.toolkits.recordio import FEATURES, Tensor, tensors
from clary.toolkits.recordio_frames import Data

PAD, UNKNOWN, BEGIN, END = 0, 1, 2, 3
LARGEST = 1 << 31
FILES = ("vocab.src.json", "vocab.trg.json")

Pair = tuple[Numbers, Numbers]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    numbers: Mapping[str, int]

    @classmethod
    def read(cls, path: str) -> "Vocabulary":
        """Raises `UserError` for what is none."""
        name = os.path.basename(path)
        try:
            with open(path, encoding="utf-8") as file:
                numbers = json.load(file)
        except FileNotFoundError:
            raise UserError(f"The channel vocab has no {name}: it must hold {' and '.join(FILES)}.") from None
        except ValueError as error:
            raise UserError(f"{name} is no JSON: {error}") from error
        if not isinstance(numbers, dict) or not all(isinstance(number, int) for number in numbers.values()):
            raise UserError(f"{name} is no object of words and their numbers.")
        for word, number in numbers.items():
            if not 0 <= number < LARGEST:
                raise UserError(f"{name} gives {word!r:.100} the number {number}: numbers are from 0 to {LARGEST - 1}.")
        return cls(numbers)

    def __len__(self) -> int:
        return max(self.numbers.values(), default=END) + 1

    def encode(self, text: str) -> Numbers:
        return np.array([self.numbers.get(word, UNKNOWN) for word in text.split()], np.int64)

    def decoder(self) -> Mapping[int, str]:
        return {number: word for word, number in self.numbers.items()}


@dataclass(frozen=True, slots=True)
class Pairs:
    source: Ragged
    target: Ragged
    """With BEGIN before each sentence, and END after it."""

    def __len__(self) -> int:
        return len(self.source)


@dataclass(frozen=True, slots=True)
class Corpus:
    train: Pairs
    validation: Pairs
    source: Vocabulary
    target: Vocabulary


def prepare(job: Job) -> Corpus:
    """What is to be learned; raises `UserError` for what is not as it must be."""
    if job.team.size > 1:
        raise UserError(f"Sequence-to-Sequence trains on one instance, and there are {job.team.size}.")
    directory = job.channels["vocab"].directory
    source, target = (Vocabulary.read(os.path.join(directory, name)) for name in FILES)
    limits = job.parameters["max_seq_len_source"], job.parameters["max_seq_len_target"]
    train, validation = (
        _cut(_read(job.channels[name], (len(source), len(target))), *limits) for name in ("train", "validation")
    )
    return Corpus(train, validation, source, target)


def read_features(record: Data) -> dict[str, Numbers]:
    """The numbers of each of a record's features."""
    found = tensors(record, 0, len(record))
    return {name: _values(record, tensor) for (field, name), tensor in found.items() if field == FEATURES}


def _values(record: Data, tensor: Tensor) -> Numbers:
    packed = b"".join(record[start:end] for start, end in tensor.values)
    return np.frombuffer(packed, tensor.kind).astype(np.int64) if tensor.kind else varints(packed)


def _read(channel: Channel, sizes: tuple[int, int]) -> list[Pair]:
    pairs: list[Pair] = []
    for path in channel.files(0):
        for where, record in raw_records(path):
            try:
                features = read_features(record)
            except ValueError as error:
                raise UserError(f"{where}: {error}") from error
            pairs.append(_pair(features, sizes, where))
    if not pairs:
        raise no_data(channel.name)
    return pairs


def _cut(pairs: list[Pair], longest_source: int, longest_target: int) -> Pairs:
    begin, end = np.array([BEGIN]), np.array([END])
    return Pairs(
        Ragged.of(source[:longest_source] for source, _ in pairs),
        Ragged.of(np.concatenate([begin, target[:longest_target], end]) for _, target in pairs),
    )


def _pair(features: Mapping[str, Numbers], sizes: tuple[int, int], where: str) -> Pair:
    for name, size in zip(("source", "target"), sizes, strict=True):
        if name not in features or not len(features[name]):
            raise UserError(f"{where} has no numbers in the feature {name!r}")
        worst = features[name].max(), features[name].min()
        if worst[0] >= size or worst[1] < 0:
            raise UserError(f"{where} has a number in {name!r} that its vocabulary does not have: {worst[0]}")
    return features["source"], features["target"]
