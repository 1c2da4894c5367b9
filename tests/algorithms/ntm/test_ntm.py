"""NTM through the SDK's own class, on documents of topics that are known."""

import re
from pathlib import Path

import numpy as np
import pytest

from tests.algorithms.container import write_rows
from tests.algorithms.lda.test_lda import TOPICS, WORDS, make_documents
from tests.algorithms.walk import walk_rows
from tests.environments import python_of
from tests.platform import Platform
from tests.toolkits.container import Container

TRAIN = ("clary.algorithms", "ntm", "train")
LEARNING = {"epochs": "40", "optimizer": "adam", "learning_rate": "0.02", "mini_batch_size": "100", "tolerance": "1e-6"}


@pytest.mark.slow
@pytest.mark.clients
def test_it_trains_deploys_and_predicts(platform: Platform, tmp_path: Path) -> None:
    counts, _, _ = make_documents(0, 1000)
    asked, mixtures, _ = make_documents(1, 200)
    parameters = {
        "num_topics": TOPICS,
        "epochs": 40,
        "optimizer": "adam",
        "learning_rate": 0.02,
        "mini_batch_size": 100,
        "encoder_layers": [20, 20],
        "encoder_layers_activation": "relu",
        "tolerance": 1e-6,
    }
    found = walk_rows(
        platform, tmp_path, "ntm", "NTM", parameters, train_rows=counts, validation_rows=asked, asked=asked
    )
    weights = found.records["topic_weights"]
    assert weights.sum(axis=1) == pytest.approx(np.ones(200), abs=1e-5)
    # Which topic is which is told by the documents that are nearly of one alone.
    order = [weights[mixtures[:, topic] > 0.9].mean(axis=0).argmax() for topic in range(TOPICS)]
    assert sorted(order) == list(range(TOPICS))
    clear = mixtures.max(axis=1) > 0.6
    assert (weights[clear].argmax(axis=1) == np.array(order)[mixtures[clear].argmax(axis=1)]).mean() > 0.9
    assert found.metrics["validation:total_loss"] == pytest.approx(
        found.metrics["validation:kld_loss"] + found.metrics["validation:recons_loss"], rel=1e-6
    )
    # No better than the entropy of the words allows, and better than one topic for all.
    assert found.metrics["validation:recons_loss"] < 60 * np.log(WORDS) * 0.9


def test_topics_are_told_in_words(tmp_path: Path) -> None:
    counts, _, words = make_documents(0, 1000)
    container = Container(tmp_path / "ml", python_of("ntm:1"))
    write_rows(container, "train", counts, np.zeros(1000, int), sparse=True)
    directory = container.root / "input/data/auxiliary"
    directory.mkdir()
    (directory / "vocab.txt").write_text("".join(f"word{number}\n" for number in range(WORDS)))
    # As far as vectors tell, words of one topic mean the same, and of the last one nothing is known.
    vectors = [" ".join([f"word{word}", *map(str, np.eye(TOPICS)[word // 5].astype(int))]) for word in range(20)]
    (directory / "vectors.txt").write_text("\n".join([f"20 {TOPICS}", *vectors]))
    channels = {name: {"TrainingInputMode": "File"} for name in ("train", "auxiliary")}
    container.configure("inputdataconfig", channels)
    container.configure("hyperparameters", {"feature_dim": str(WORDS), "num_topics": str(TOPICS), **LEARNING})
    status, output = container.run(*TRAIN)
    assert status == 0, output
    assert "5 out of 25 in vocabulary do not have embeddings!" in output
    # Of ten words of a topic five are its own: 20 of 45 pairs are of one topic, and so are those of the last one not.
    [(coherence, uniqueness)] = re.findall(r"\(num_topics:5\) \[wetc ([\d.]+), tu ([\d.]+)\]", output)
    assert 0.1 < float(coherence) < 0.5
    assert 0.3 < float(uniqueness) < 1
    told = [set(line.split("] ")[-1].split()[:5]) for line in output.splitlines() if " word" in line]
    known = [{f"word{word}" for word in np.flatnonzero(topic)} for topic in words]
    assert sorted(map(sorted, told)) == sorted(map(sorted, known))


def test_a_vocabulary_of_another_size_fails_the_job(tmp_path: Path) -> None:
    container = Container(tmp_path / "ml", python_of("ntm:1"))
    write_rows(container, "train", np.ones((3, 4), np.float32))
    directory = container.root / "input/data/auxiliary"
    directory.mkdir()
    (directory / "vocab.txt").write_text("one\ntwo\n")
    channels = {name: {"TrainingInputMode": "File"} for name in ("train", "auxiliary")}
    container.configure("inputdataconfig", channels)
    container.configure("hyperparameters", {"feature_dim": "4", "num_topics": "2"})
    assert container.run(*TRAIN)[0] == 2
    assert container.failure == "ClientError: vocab.txt has 2 words, and feature_dim is 4: they must be as many."


def test_a_batch_may_be_one_document(tmp_path: Path) -> None:
    """Which has no spread to normalise by; layers are as the guide writes them."""
    counts, _, _ = make_documents(0, 101)
    container = Container(tmp_path / "ml", python_of("ntm:1"))
    write_rows(container, "train", counts)
    given = {"feature_dim": str(WORDS), "num_topics": "3", "mini_batch_size": "50", "epochs": "2"}
    shape = {"batch_norm": "true", "encoder_layers": "10,5", "encoder_layers_activation": "tanh"}
    learning = {"optimizer": "sgd", "clip_gradient": "1", "rescale_gradient": "0.5", "weight_decay": "0.01"}
    container.configure("hyperparameters", {**given, **shape, **learning})
    status, output = container.run(*TRAIN)
    assert status == 0, output
    losses = [float(loss) for loss in re.findall(r"train total_loss <loss>=(\S+)", output)]
    assert len(losses) == 2
    assert np.isfinite(losses).all()
    assert output.count("#throughput_metric") == 2
