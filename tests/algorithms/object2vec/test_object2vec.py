"""Object2Vec through the SDK's generic Estimator, and as a process, beside a baseline that counts shared tokens."""

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.algorithms.container import refusal, stop_when_it_says, write_files
from tests.algorithms.estimators import estimate
from tests.algorithms.walk import metrics_of
from tests.clients.programs import await_deletion
from tests.environments import python_of
from tests.platform import Platform
from tests.toolkits.container import Container

TRAIN = ("clary.algorithms", "object2vec", "train")
SERVE = ("clary.algorithms", "object2vec", "serve")
TOPICS, WORDS = 6, 10
VOCABULARY = TOPICS * WORDS
PARAMETERS = {
    "feature_dim": "2",
    "enc0_max_seq_len": "12",
    "enc0_vocab_size": str(VOCABULARY),
    "enc0_network": "bilstm",
    "enc0_token_embedding_dim": "16",
    "enc_dim": "32",
    "mlp_dim": "32",
    "mlp_activation": "relu",
    "epochs": "6",
    "learning_rate": "0.005",
}


def text(chance: random.Random, topic: int) -> list[int]:
    """Words of a topic, with some of others; two texts of a topic seldom share a word."""
    own = [chance.randrange(WORDS) + topic * WORDS for _ in range(chance.randint(3, 5))]
    return chance.sample([*own, chance.randrange(VOCABULARY)], len(own) + 1)


def pairs(count: int, seed: int) -> list[dict[str, Any]]:
    """Labelled by whether both are of one topic."""
    chance, found = random.Random(seed), []
    for _ in range(count):
        topic, other = chance.randrange(TOPICS), chance.randrange(TOPICS)
        if chance.random() < 0.4:
            other = topic
        found.append({"label": int(topic == other), "in0": text(chance, topic), "in1": text(chance, other)})
    return found


def lines(rows: list[dict[str, Any]]) -> str:
    return "".join(f"{json.dumps(row)}\n" for row in rows)


def baseline(rows: list[dict[str, Any]]) -> float:
    """Accuracy of who takes pairs with a shared token for alike."""
    return float(np.mean([bool(set(row["in0"]) & set(row["in1"])) == row["label"] for row in rows]))


@pytest.mark.slow
@pytest.mark.clients
def test_it_tells_what_belongs_together(platform: Platform, tmp_path: Path) -> None:
    held = pairs(400, 2)
    files = {"train": pairs(3000, 1), "validation": pairs(200, 3), "test": held}
    for name, rows in files.items():
        (tmp_path / f"{name}.jsonl").write_text(lines(rows))
    channels = {
        name: {"path": str(tmp_path / f"{name}.jsonl"), "content_type": "application/jsonlines"} for name in files
    }
    both = [{"in0": row["in0"], "in1": row["in1"]} for row in held[:2]]
    found = estimate(
        platform,
        tmp_path,
        {
            "algorithm": "object2vec",
            "hyperparameters": PARAMETERS,
            "channels": channels,
            "requests": [
                ("application/json", json.dumps({"instances": both})),
                ("application/jsonlines", lines([{"in1": row["in1"]} for row in both])),
                ("application/json", json.dumps({"instances": [{"in0": both[0]["in0"]}]})),
            ],
        },
    )
    metrics = metrics_of(platform, found["job"])
    assert metrics["test:accuracy"] > max(0.9, baseline(held) + 0.1)
    assert metrics["validation:accuracy"] > 0.9
    assert metrics["test:cross_entropy"] < 0.4
    scores = json.loads(found["answers"][0])["predictions"]
    assert [list(each) for each in scores] == [["scores"]] * 2
    assert np.allclose(np.sum([each["scores"] for each in scores], axis=1), 1, atol=1e-5)
    embeddings = [json.loads(line) for line in found["answers"][1].splitlines()]
    assert [len(each["embeddings"]) for each in embeddings] == [32, 32]
    assert len(json.loads(found["answers"][2])["predictions"][0]["embeddings"]) == 32
    await_deletion(platform, "object2vec")


@pytest.fixture
def learner(container: Container) -> Container:
    container.python = python_of("object2vec:1")
    return container


def give(container: Container, rows: list[dict[str, Any]] | str, **given: str) -> None:
    container.configure("hyperparameters", PARAMETERS | given)
    write_files(
        container, "application/jsonlines", train={"train.jsonl": rows if isinstance(rows, str) else lines(rows)}
    )
    if given.get("enc0_pretrained_embedding_file"):
        vectors = "".join(f"w{number} {' '.join(['0.5'] * 16)}\n" for number in range(VOCABULARY))
        numbers = json.dumps({f"w{number}": number for number in range(VOCABULARY)})
        write_files(container, auxiliary={"vectors.txt": vectors, "vocab.json": numbers})


def test_regression_negative_samples_and_given_vectors(learner: Container) -> None:
    positive = [row for row in pairs(200, 1) if row["label"]]
    give(
        learner, positive, epochs="2", negative_sampling_rate="2", output_layer="mean_squared_error",
        enc0_network="pooled_embedding", enc1_network="hcnn", enc1_max_seq_len="12", enc1_vocab_size=str(VOCABULARY),
        enc1_token_embedding_dim="16", enc_dim="16", comparator_list="hadamard,abs_diff", optimizer="adagrad",
        token_embedding_storage_type="row_sparse", enc0_pretrained_embedding_file="vectors.txt",
        enc0_vocab_file="vocab.json",
    )  # fmt: skip
    status, output = learner.run(*TRAIN)
    assert status == 0, output
    assert "train mean_squared_error <loss>=" in output
    with learner.serve(*SERVE) as server:
        kind = "application/json; infer_max_seqlens=2,3"
        body = json.dumps({"instances": [{"in0": [1, 2, 3], "in1": [4]}]})
        assert len(json.loads(server.invoke(body, kind)[2])["predictions"][0]["scores"]) == 1
        embedded = server.invoke(json.dumps({"instances": [{"in0": [1, 2, 3]}]}), kind)[2]
        assert json.loads(embedded)["predictions"] == [{"embeddings": [0.5] * 16}]
        assert b"instance 0: in0 has the token 60" in server.invoke('{"instances": [{"in0": [60]}]}', kind)[2]


def test_tied_embeddings_are_saved_on_sigterm(learner: Container) -> None:
    given = {"epochs": "100", "tied_token_embedding_weight": "true", "token_embedding_storage_type": "row_sparse"}
    give(learner, pairs(500, 1), **given, enc0_network="hcnn", early_stopping_tolerance="0.000001")
    stop_when_it_says(learner, "train cross_entropy <loss>=", *TRAIN)
    assert (learner.root / "model" / "model.pt").exists()


PAIR = {"label": 1, "in0": [1], "in1": [2]}


@pytest.mark.parametrize(
    ("rows", "given", "reason"),
    [
        ([], {}, "Unable to read data channel 'train': there is no data in it"),
        ("{}\n", {}, "train.jsonl, line 1: in0 is no list of whole numbers"),
        ([PAIR, {**PAIR, "in1": [60]}], {}, "train.jsonl, line 2: in1 has the token 60, and tokens are from 0 to 59"),
        ([{**PAIR, "label": 2}], {}, "label is 2, and with num_classes=2 must be from 0 to 1"),
        ([PAIR], {"enc1_network": "hcnn"}, "enc1_max_seq_len and enc1_vocab_size must be given"),
        ([PAIR], {"comparator_list": "sum"}, "'sum' is not valid for the 'comparator_list'"),
    ],
)
def test_what_is_wrong_is_said(learner: Container, rows: Any, given: dict[str, str], reason: str) -> None:
    give(learner, rows, **given)
    assert reason in refusal(learner, *TRAIN)
