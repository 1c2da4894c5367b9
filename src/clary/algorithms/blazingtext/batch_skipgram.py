"""Skip-gram in mini-batches with shared negative samples, for one instance or several.

Ji et al., Parallelizing Word2Vec in Shared and Distributed Memory, https://arxiv.org/abs/1604.04661: all words around
a centre are one batch, and the same few negative samples are drawn for all of them, so that dot products of pairs
become a product of two small matrices. Threads change the matrices without locks; instances each take a share of the
lines, and the mean of their matrices is taken several times an epoch.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

Matrix = NDArray[np.float32]
Function = TypeVar("Function", bound=Callable[..., Any])

SLICES = 10
"""Of an epoch; after each the instances' matrices become one."""
TABLE = 1 << 20
"""Entries of the table that negative samples are drawn from."""
LONGEST = 1000
"""Words of a sentence; a longer line counts as several."""


@dataclass(frozen=True, slots=True)
class Sentences:
    words: NDArray[np.int32]
    """All sentences one after the other, as numbers of words."""
    ends: NDArray[np.int64]
    """Where each sentence ends in `words`."""


@dataclass(frozen=True, slots=True)
class Recipe:
    epochs: int
    learning_rate: float
    window: int
    negatives: int
    batch_size: int
    sampling: float
    threads: int


def read_sentences(path: str, words: list[str], rank: int, size: int) -> Sentences:
    """Every `size`-th line from the `rank`-th on, of the words that are in the vocabulary."""
    number = {word: index for index, word in enumerate(words)}
    parts: list[NDArray[np.int32]] = []
    with open(path, encoding="utf-8", errors="replace") as file:
        for index, line in enumerate(file):
            if index % size == rank:
                known = [number[word] for word in line.split() if word in number]
                parts += [np.array(known[at : at + LONGEST], np.int32) for at in range(0, len(known), LONGEST)]
    flat = np.concatenate(parts) if parts else np.empty(0, np.int32)
    return Sentences(flat, np.cumsum([len(part) for part in parts], dtype=np.int64))


def train(
    sentences: Sentences,
    counts: NDArray[np.int64],
    inputs: Matrix,
    outputs: Matrix,
    recipe: Recipe,
    together: Callable[[Matrix], Matrix],
) -> Iterator[float]:
    """Change `inputs` (the word vectors) and `outputs` in place; yields the share that is done.

    `together` takes the mean of a matrix over all instances.
    """
    keep = _chances(counts, recipe.sampling)
    table = _negatives(counts)
    slices = recipe.epochs * SLICES
    generator = np.random.default_rng(1)
    with ThreadPoolExecutor(recipe.threads) as pool:
        for number in range(slices):
            rates = recipe.learning_rate * (1 - (number + np.array([0, 1])) / slices)
            work = []
            for first, last in _shares(len(sentences.ends), number % SLICES, recipe.threads):
                seed = int(generator.integers(1, 2**62))
                work.append(
                    pool.submit(
                        _learn, sentences.words, sentences.ends, first, last, keep, table, inputs, outputs,
                        recipe.window, recipe.negatives, recipe.batch_size, rates[0], rates[1], seed,
                    )
                )  # fmt: skip
            for each in work:
                each.result()
            inputs[:], outputs[:] = together(inputs), together(outputs)
            yield (number + 1) / slices


def _shares(sentences: int, number: int, threads: int) -> list[tuple[int, int]]:
    """Of a slice of the sentences, the ranges that each thread takes."""
    first, last = sentences * number // SLICES, sentences * (number + 1) // SLICES
    bounds = [first + (last - first) * thread // threads for thread in range(threads + 1)]
    return list(pairwise(bounds))


def _chances(counts: NDArray[np.int64], sampling: float) -> Matrix:
    """How likely each word is kept (Mikolov et al. 2013, as word2vec and fastText reckon it)."""
    share = counts / counts.sum()
    chances: Matrix = np.minimum(1, np.sqrt(sampling / share) + sampling / share).astype(np.float32)
    return chances


def _negatives(counts: NDArray[np.int64]) -> NDArray[np.int32]:
    weights = np.sqrt(counts)
    return np.repeat(np.arange(len(counts)), np.ceil(weights * TABLE / weights.sum()).astype(np.int64)).astype(np.int32)


compiled: Callable[[Function], Function] = njit(nogil=True, fastmath=True)


@compiled
def _learn(
    words: Any,
    ends: Any,
    first: int,
    last: int,
    keep: Any,
    table: Any,
    inputs: Any,
    outputs: Any,
    window: int,
    negatives: int,
    batch_size: int,
    rate: float,
    last_rate: float,
    seed: int,
) -> None:
    """One thread's sentences, from `first` to `last`."""
    random = np.array([seed], np.uint64)
    kept, around, targets = (
        np.empty(LONGEST, np.int32),
        np.empty(batch_size, np.int32),
        np.empty(negatives + 1, np.int32),
    )
    errors = np.empty((batch_size, negatives + 1), np.float32)
    changes = np.empty((batch_size, inputs.shape[1]), np.float32)
    for sentence in range(first, last):
        step = np.float32(rate + (last_rate - rate) * (sentence - first) / max(last - first, 1))
        count = _keep(words, ends[sentence - 1] if sentence else 0, ends[sentence], keep, kept, random)
        for centre in range(count):
            reach = 1 + _draw(random, window)
            size = 0
            for at in range(max(0, centre - reach), min(count, centre + reach + 1)):
                if at != centre and size < batch_size:
                    around[size] = kept[at]
                    size += 1
            if size:
                chosen = _choose(kept[centre], negatives, table, targets, random)
                _step(inputs, outputs, around[:size], targets[:chosen], errors, changes, step)


@compiled
def _draw(random: Any, below: int) -> Any:
    """A whole number from 0, by xorshift64 (Marsaglia 2003), whose state is the one element of `random`."""
    state = random[0]
    state ^= state >> np.uint64(12)
    state ^= state << np.uint64(25)
    state ^= state >> np.uint64(27)
    random[0] = state
    return np.int64((state >> np.uint64(20)) % np.uint64(below))


@compiled
def _keep(words: Any, first: int, last: int, keep: Any, kept: Any, random: Any) -> int:
    """Put the words of a sentence that chance lets stand into `kept`; how many they are."""
    count = 0
    for at in range(first, last):
        if np.float32(_draw(random, 1 << 24)) / np.float32(1 << 24) <= keep[words[at]]:
            kept[count] = words[at]
            count += 1
    return count


@compiled
def _choose(centre: int, negatives: int, table: Any, targets: Any, random: Any) -> int:
    """Put the centre and words that are not it into `targets`; how many they are."""
    targets[0] = centre
    chosen = 1
    for _ in range(negatives):
        drawn = table[_draw(random, len(table))]
        if drawn != centre:
            targets[chosen] = drawn
            chosen += 1
    return chosen


@compiled
def _step(inputs: Any, outputs: Any, around: Any, targets: Any, errors: Any, changes: Any, step: Any) -> None:
    """One batch: errors of all pairs first, then both sides change by what they were before."""
    dimension = inputs.shape[1]
    for i in range(len(around)):
        word = around[i]
        for j in range(len(targets)):
            target = targets[j]
            product = np.float32(0)
            for d in range(dimension):
                product += inputs[word, d] * outputs[target, d]
            wanted = np.float32(1 if j == 0 else 0)
            errors[i, j] = (wanted - np.float32(1) / (np.float32(1) + np.exp(-product))) * step
    for i in range(len(around)):
        for d in range(dimension):
            changes[i, d] = 0
        for j in range(len(targets)):
            target, error = targets[j], errors[i, j]
            for d in range(dimension):
                changes[i, d] += error * outputs[target, d]
    for j in range(len(targets)):
        target = targets[j]
        for i in range(len(around)):
            word, error = around[i], errors[i, j]
            for d in range(dimension):
                outputs[target, d] += error * inputs[word, d]
    for i in range(len(around)):
        word = around[i]
        for d in range(dimension):
            inputs[word, d] += changes[i, d]
