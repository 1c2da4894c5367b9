"""fastText at work on a thread of its own, whose model may be tested and saved at any time meanwhile.

    corpus ─▶ Run(settings) ─▶ progress() ─ each 0.1 s: how far, learning rate, words a second
                  └ save(), accuracy(): of the model as it stands

fastText's workers change the matrices without locks (Hogwild, as in Niu et al. 2011), so that who reads them beside is
no other than one more of them. It tells its progress on standard error alone, which is therefore read through a pipe.
"""

import os
import re
import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass

import fasttext_pybind
import numpy as np
from numpy.typing import NDArray

from clary.algorithms.errors import UserError

LABEL = "__label__"
LINE = re.compile(rb"Progress:\s*([\d.]+)%\s*words/sec/thread:\s*(\d+)\s*lr:\s*([\d.]+)")
STANDARD_ERROR = 2


@dataclass(frozen=True, slots=True)
class Settings:
    """Of one training; what has another meaning for a classifier says so."""

    corpus: str
    mode: str
    """`cbow`, `skipgram` or `supervised`."""
    dimension: int
    epochs: int
    learning_rate: float
    min_count: int
    threads: int
    buckets: int
    word_ngrams: int = 1
    window: int = 5
    negatives: int = 5
    sampling: float = 1e-4
    subwords: tuple[int, int] = (0, 0)
    """Least and greatest number of characters; (0, 0) for none."""

    def arguments(self) -> "fasttext_pybind.args":
        supervised = self.mode == "supervised"
        given = fasttext_pybind.args()
        given.input = self.corpus
        given.model = getattr(fasttext_pybind.model_name, self.mode)
        given.loss = fasttext_pybind.loss_name.softmax if supervised else fasttext_pybind.loss_name.ns
        given.dim, given.epoch, given.lr = self.dimension, self.epochs, self.learning_rate
        given.minCount, given.thread = self.min_count, self.threads
        given.wordNgrams, given.ws, given.neg, given.t = self.word_ngrams, self.window, self.negatives, self.sampling
        given.minn, given.maxn = self.subwords
        hashed = self.word_ngrams > 1 if supervised else self.subwords[1] > 0
        given.bucket = self.buckets if hashed else 0
        given.label, given.verbose = LABEL, 2
        return given


@dataclass(frozen=True, slots=True)
class Progress:
    share: float
    """Of all epochs, 0 to 1."""
    learning_rate: float
    million_words: float
    """A second, by all threads."""


class Run:
    def __init__(self, settings: Settings) -> None:
        self.model = fasttext_pybind.fasttext()
        self._settings = settings
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._train, name="fastText", daemon=True)

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    def progress(self) -> Generator[Progress]:
        """Begin, and follow to the end; raises `UserError` where fastText takes the corpus for unfit.

        Who leaves off before has a model that is still being trained.
        """
        terminal = os.dup(STANDARD_ERROR)
        reading, writing = os.pipe()
        os.dup2(writing, STANDARD_ERROR)
        os.close(writing)
        os.set_blocking(reading, False)
        self._thread.start()
        heard = b""
        try:
            while self.running:
                self._thread.join(0.1)
                heard += _read(reading)
                told = LINE.findall(heard)
                heard = heard[heard.rfind(b"\r") :]
                if told:
                    share, words, rate = map(float, told[-1])
                    yield Progress(share / 100, rate, words * self._settings.threads / 1e6)
        finally:
            os.dup2(terminal, STANDARD_ERROR)
            os.close(terminal)
            os.close(reading)
        if self._failure is not None:
            reason = str(self._failure).replace("-minCount", "min_count")
            raise UserError(f"Unable to train on the channel train: {reason}")

    def _train(self) -> None:
        try:
            fasttext_pybind.train(self.model, self._settings.arguments())
        except (ValueError, RuntimeError) as error:
            self._failure = error


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 1 << 16)
    except BlockingIOError:
        return b""


def accuracy(model: "fasttext_pybind.fasttext", path: str) -> tuple[int, float]:
    """Lines of a labelled file that count, and of how many of them the likeliest label is one of theirs."""
    examples, precision, _ = model.test(path, 1, 0.0)
    return examples, precision


def words_of(model: "fasttext_pybind.fasttext") -> tuple[list[str], list[int]]:
    """The vocabulary, the most frequent first, and how often each word is in the corpus."""
    words, counts = model.getVocab("replace")
    return words, counts


def vector_reader(model: "fasttext_pybind.fasttext") -> Callable[[str], NDArray[np.float32]]:
    """A word's vector; with subwords that of any word, without them zeros for one that is not known."""
    buffer = fasttext_pybind.Vector(model.getArgs().dim)

    def read(word: str) -> NDArray[np.float32]:
        model.getWordVector(buffer, word)
        return np.array(buffer, np.float32)

    return read
