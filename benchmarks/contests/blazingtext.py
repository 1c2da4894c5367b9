"""BlazingText beside fastText itself, on sentences of topics, in which two words each stand for one another."""

import functools
import os
import tempfile
from collections.abc import Callable

import fasttext
import fasttext_pybind
import numpy as np

from benchmarks.contests import Given, TrainingJob, contest
from clary.algorithms.blazingtext.engine import accuracy, vector_reader

TOPICS, LABELS, USUAL, SENTENCES, HELD, LENGTH = 400, 20, 1_000, 12_000, 2_000, 12
EPOCHS, DIMENSION, BUCKETS, THREADS = 5, 50, 100_000, len(os.sched_getaffinity(0))
RATES = {"supervised": 0.5, "skipgram": 0.05, "cbow": 0.05, "batch_skipgram": 0.05}
random = np.random.default_rng(0)


def made() -> list[str]:
    """A third of the words are the topic's own: `a7` or `b7`, or one of six more. One label in twenty is a lie."""
    topics = random.integers(TOPICS, size=SENTENCES)
    usual = random.zipf(1.3, (SENTENCES, LENGTH)) % USUAL
    own = random.choice(list("abcdefgh"), (SENTENCES, LENGTH))
    chosen = random.random((SENTENCES, LENGTH)) < 1 / 3
    words = np.where(chosen, np.char.add(own, topics[:, None].astype(str)), np.char.add("w", usual.astype(str)))
    told = np.where(random.random(SENTENCES) < 0.05, random.integers(TOPICS, size=SENTENCES), topics) % LABELS
    return [f"__label__{label} {' '.join(row)}" for label, row in zip(told, words, strict=True)]


def file_of(lines: list[str]) -> str:
    path = os.path.join(directory.name, f"{len(os.listdir(directory.name))}.txt")
    with open(path, "w") as file:
        file.writelines(f"{line}\n" for line in lines)
    return path


def alike(path: str) -> float:
    """Of how many pairs (`a7`, `b7`) each is the likest to the other, of all such words."""
    model = fasttext_pybind.fasttext()
    model.loadModel(path)
    read = vector_reader(model)
    first, second = (np.array([read(f"{letter}{topic}") for topic in range(TOPICS)]) for letter in "ab")
    first, second = (each / np.linalg.norm(each, axis=1, keepdims=True) for each in (first, second))
    return float(((first @ second.T).argmax(axis=1) == np.arange(TOPICS)).mean())


def right(path: str) -> float:
    """Of how many sentences not learned from the likeliest label is theirs."""
    model = fasttext_pybind.fasttext()
    model.loadModel(path)
    return accuracy(model, held)[1]


directory = tempfile.TemporaryDirectory()
lines = made()
sentences = [line.partition(" ")[2] for line in lines]
learned, held, plain = file_of(lines[:-HELD]), file_of(lines[-HELD:]), file_of(sentences)
SETTINGS = {"epoch": EPOCHS, "dim": DIMENSION, "minCount": 1, "thread": THREADS, "verbose": 0}


def job(mode: str, lines: list[str], **more: object) -> Callable[[], str]:
    given = {
        "mode": mode,
        "epochs": EPOCHS,
        "learning_rate": RATES[mode],
        "vector_dim": DIMENSION,
        "min_count": 1,
        **more,
    }
    training = TrainingJob("blazingtext", {"train": Given({"lines": "\n".join(lines).encode()})}, **given)
    return lambda: os.path.join(training(), "model.bin" if mode == "supervised" else "vectors.bin")


def saved(model: fasttext.FastText._FastText) -> str:
    path = os.path.join(directory.name, "model.bin")
    model.save_model(path)
    return path


def classify_theirs() -> str:
    """Tested on what it learned from, as the job is."""
    model = fasttext.train_supervised(learned, lr=RATES["supervised"], wordNgrams=2, bucket=BUCKETS, **SETTINGS)
    model.test(learned)
    return saved(model)


def embed_theirs(mode: str) -> str:
    return saved(fasttext.train_unsupervised(plain, mode, lr=RATES[mode], minn=0, maxn=0, bucket=0, **SETTINGS))


classify = job("supervised", lines[:-HELD], word_ngrams=2, buckets=BUCKETS)
contest(f"{SENTENCES - HELD:,} sentences, supervised", "fastText", classify, classify_theirs, "accuracy", right, right)
for mode in ("skipgram", "cbow", "batch_skipgram"):
    theirs = mode.removeprefix("batch_")
    contest(
        f"{SENTENCES:,} sentences, {mode}",
        f"fastText {theirs}",
        job(mode, sentences, evaluation=False),
        functools.partial(embed_theirs, theirs),
        "pairs found",
        alike,
        alike,
    )
