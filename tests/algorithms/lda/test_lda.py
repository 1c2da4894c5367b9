"""LDA through the SDK's own class, on documents of topics that are known."""

from pathlib import Path

import numpy as np
import pytest

from clary.algorithms.kit.ndarrays import read_arrays
from tests.algorithms.container import write_rows
from tests.algorithms.walk import walk_rows
from tests.environments import python_of
from tests.platform import Platform
from tests.toolkits.container import Container

TRAIN = ("clary.algorithms", "lda", "train")
TOPICS, WORDS = 5, 25


def make_documents(seed: int, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Counts, the mixture of each document, and the topics: five bars of a picture of 25 words, as in Griffiths and
    Steyvers (2004)."""
    topics = np.zeros((TOPICS, 5, 5))
    for topic in range(TOPICS):
        topics[topic, topic, :] = 0.2
    words = topics.reshape(TOPICS, WORDS)
    random = np.random.default_rng(seed)
    mixtures = random.dirichlet([0.2] * TOPICS, count)
    return random.multinomial(60, mixtures @ words).astype(np.float32), mixtures, words


def match(found: np.ndarray, words: np.ndarray) -> np.ndarray:
    """Which topic each known one was found as."""
    distances = np.abs(found[None] - words[:, None]).sum(axis=2)
    order = distances.argmin(axis=1)
    assert sorted(order) == list(range(TOPICS))
    return order


def test_known_topics_are_found_again(tmp_path: Path) -> None:
    counts, _, words = make_documents(0, 2000)
    container = Container(tmp_path / "ml", python_of("lda:1"))
    write_rows(container, "train", counts, np.zeros(2000, int), sparse=True)
    parameters = {"feature_dim": str(WORDS), "num_topics": str(TOPICS), "mini_batch_size": "2000", "alpha0": "1.0"}
    container.configure("hyperparameters", parameters)
    status, output = container.run(*TRAIN)
    assert status == 0, output
    alpha, found = read_arrays(str(container.root / "model/model_algo-1")).values()
    assert alpha.sum() == pytest.approx(1.0)
    assert found.sum(axis=1) == pytest.approx(np.ones(TOPICS), abs=1e-5)
    assert np.abs(found[match(found, words)] - words).sum(axis=1).max() < 0.1


@pytest.mark.slow
@pytest.mark.clients
def test_it_trains_deploys_and_predicts(platform: Platform, tmp_path: Path) -> None:
    counts, _, words = make_documents(0, 1000)
    asked, mixtures, _ = make_documents(1, 200)
    parameters = {"num_topics": TOPICS, "alpha0": 1.0, "mini_batch_size": 1000}
    found = walk_rows(platform, tmp_path, "lda", "LDA", parameters, train_rows=counts, test_rows=asked, asked=asked)
    shares = found.records["topic_mixture"]
    assert shares.sum(axis=1) == pytest.approx(np.ones(200), abs=1e-5)
    # Which topic is which is told by the documents that are nearly of one alone.
    order = [shares[mixtures[:, topic] > 0.9].mean(axis=0).argmax() for topic in range(TOPICS)]
    assert sorted(order) == list(range(TOPICS))
    assert np.abs(shares[:, order] - mixtures).mean() < 0.05
    truth = (asked * np.log(np.maximum(mixtures @ words, 1e-9))).sum() / asked.sum()
    assert found.metrics["test:pwll"] == pytest.approx(truth, abs=0.05)


def test_more_topics_than_documents_fail_the_job(tmp_path: Path) -> None:
    container = Container(tmp_path / "ml", python_of("lda:1"))
    write_rows(container, "train", np.ones((3, 4), np.float32))
    container.configure("hyperparameters", {"feature_dim": "4", "num_topics": "4", "mini_batch_size": "3"})
    assert container.run(*TRAIN)[0] == 2
    assert container.failure is not None
    assert container.failure.startswith("ClientError: 4 topics cannot be found in 3 documents")
