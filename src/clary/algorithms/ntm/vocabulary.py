"""What the channel `auxiliary` says of words: what each feature is called, and where it lies among the others.

vocab.txt    a word a line, in the order of the features
vectors.txt  word2vec's text format, as BlazingText writes it, or GloVe's, which has no line of sizes before it
"""

import json
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clary.algorithms.errors import UserError
from clary.algorithms.kit.channels import Channel

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    words: Sequence[str]
    """A name for each feature, fit to be printed."""
    vectors: Vectors | None = None
    """(features, dimensions); zeros for words that have none."""


def read_vocabulary(channel: Channel | None, count: int) -> Vocabulary:
    """Of so many features; without the channel they are called by their numbers. Raises `UserError`."""
    if channel is None:
        return Vocabulary([str(number) for number in range(count)])
    try:
        with open(os.path.join(channel.directory, "vocab.txt"), encoding="utf-8") as file:
            words = file.read().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"The vocabulary vocab.txt of the channel auxiliary cannot be read: {error}") from error
    if len(words) != count:
        raise UserError(f"vocab.txt has {len(words)} words, and feature_dim is {count}: they must be as many.")
    path = os.path.join(channel.directory, "vectors.txt")
    vectors = _vectors(path, words) if os.path.exists(path) else None
    return Vocabulary([json.dumps(word, ensure_ascii=False)[1:-1] for word in words], vectors)


def _vectors(path: str, words: Sequence[str]) -> Vectors:
    wanted = {word: number for number, word in enumerate(words)}
    found: dict[int, Vectors] = {}
    try:
        with open(path, encoding="utf-8") as file:
            for line in file:
                word, *numbers = line.rstrip().split(" ")
                if word in wanted and len(numbers) > 1:
                    found[wanted[word]] = np.array(numbers, np.float32)
        if not found:
            raise ValueError("it has none of the words of vocab.txt")
        vectors = np.zeros((len(words), len(next(iter(found.values())))), np.float32)
        vectors[list(found)] = np.stack(list(found.values()))
    except (OSError, ValueError) as error:
        raise UserError(f"The vectors vectors.txt of the channel auxiliary cannot be read: {error}") from error
    if missing := len(words) - len(found):
        logging.warning("%d out of %d in vocabulary do not have embeddings!", missing, len(words))
    return vectors
