"""Word vectors: trained, evaluated and written as `vectors.bin`, `vectors.txt` and `eval.json`."""

import json
import os
from collections.abc import Callable, Generator
from dataclasses import replace
from typing import Any

import fasttext_pybind
import numpy as np
from numpy.typing import NDArray

from clary.algorithms.blazingtext.engine import Progress, Run, Settings, vector_reader, words_of
from clary.algorithms.blazingtext.similarity import evaluate
from clary.algorithms.errors import UserError

Matrix = NDArray[np.float32]
Together = Callable[[Matrix], Matrix]
"""The mean of a matrix over all instances."""


def settings_of(corpus: str, given: dict[str, Any], threads: int) -> Settings:
    subwords = given["subwords"]
    if subwords and given["mode"] == "batch_skipgram":
        raise UserError("Subwords are learned in the modes skipgram and cbow, and not in batch_skipgram.")
    if subwords and given["min_char"] > given["max_char"]:
        raise UserError(f"min_char ({given['min_char']}) is greater than max_char ({given['max_char']}).")
    return Settings(
        corpus=corpus,
        mode="skipgram" if given["mode"] == "batch_skipgram" else given["mode"],
        dimension=given["vector_dim"],
        epochs=given["epochs"],
        learning_rate=given["learning_rate"],
        min_count=given["min_count"],
        threads=threads,
        buckets=given["buckets"],
        window=given["window_size"],
        negatives=given["negative_samples"],
        sampling=given["sampling_threshold"],
        subwords=(given["min_char"], given["max_char"]) if subwords else (0, 0),
    )


def begin_batches(
    settings: Settings, given: dict[str, Any], rank: int, size: int, together: Together
) -> tuple[Run, Generator[Progress]]:
    """Train by `batch_skipgram`.

    fastText counts the words, in a training of next to nothing, and is given the matrices, so that it writes its own
    format. They begin alike on all instances.
    """
    from clary.algorithms.blazingtext import batch_skipgram  # What compiles it takes a second to import.

    run = Run(replace(settings, learning_rate=0.0, epochs=1, dimension=1))
    for _ in run.progress():
        pass
    words, counts = words_of(run.model)
    sentences = batch_skipgram.read_sentences(settings.corpus, words, rank, size)
    shape = len(words), settings.dimension
    bound = 1 / settings.dimension
    inputs = np.random.default_rng(1).uniform(-bound, bound, shape).astype(np.float32)
    outputs = np.zeros(shape, np.float32)
    recipe = batch_skipgram.Recipe(
        settings.epochs, settings.learning_rate, settings.window, settings.negatives, given["batch_size"],
        settings.sampling, settings.threads,
    )  # fmt: skip

    def follow() -> Generator[Progress]:
        try:
            for share in batch_skipgram.train(sentences, np.array(counts), inputs, outputs, recipe, together):
                yield Progress(share, settings.learning_rate * (1 - share), 0.0)
        finally:
            run.model.setMatrices(inputs, outputs)

    return run, follow()


def write_vectors(model: "fasttext_pybind.fasttext", directory: str) -> None:
    """`vectors.txt` is word2vec's text format: a line of both sizes, then a word and its numbers a line."""
    model.saveModel(os.path.join(directory, "vectors.bin"))
    words, _ = words_of(model)
    vector = vector_reader(model)
    with open(os.path.join(directory, "vectors.txt"), "w", encoding="utf-8") as file:
        file.write(f"{len(words)} {model.getArgs().dim}\n")
        for word in words:
            file.write(f"{word} {' '.join(f'{number:.5g}' for number in vector(word).tolist())}\n")


def write_evaluation(model: "fasttext_pybind.fasttext", directory: str) -> dict[str, Any]:
    known = set(words_of(model)[0])
    vector = vector_reader(model)
    result = evaluate(lambda word: vector(word) if word in known else None)
    with open(os.path.join(directory, "eval.json"), "w", encoding="utf-8") as file:
        json.dump(result, file, indent=4)
    return result
