"""Sequence-to-Sequence through the SDK's generic Estimator, and as a process, on a small grammar."""

import base64
import io
import json
import random
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clary.algorithms.seq2seq.bleu import bleu
from clary.algorithms.seq2seq.sentences import read_features
from clary.toolkits.recordio import read_records
from clary.toolkits.recordio_writing import write_tensors
from tests.algorithms.estimators import estimate
from tests.algorithms.walk import metrics_of
from tests.clients.programs import await_deletion
from tests.environments import python_of
from tests.platform import Platform
from tests.toolkits.container import Container

TRAIN = ("clary.algorithms", "seq2seq", "train")
SERVE = ("clary.algorithms", "seq2seq", "serve")
PARAMETERS = {
    "rnn_num_hidden": "64",
    "num_embed_source": "32",
    "num_embed_target": "32",
    "learning_rate": "0.005",
    "max_num_batches": "250",
    "checkpoint_frequency_num_batches": "125",
    "bleu_sample_size": "40",
    "beam_size": "3",
}
SPECIAL = ["<pad>", "<unk>", "<s>", "</s>"]
NOUNS, ADJECTIVES, VERBS = (
    ["cat", "dog", "bird", "fish", "horse"], ["red", "big", "old", "wild"], ["sees", "likes", "eats"],
)  # fmt: skip
WORDS = ["the", "a", *NOUNS, *ADJECTIVES, *VERBS]
SOURCE = {word: number for number, word in enumerate([*SPECIAL, *WORDS])}
TARGET = {word: number for number, word in enumerate([*SPECIAL, *(f"{word}o" for word in WORDS)])}


def sentence(chance: random.Random) -> tuple[str, str]:
    """`the red cat sees a dog`: adjectives come after their nouns, and the verb last."""

    def thing() -> tuple[list[str], list[str]]:
        article, noun = chance.choice(["the", "a"]), chance.choice(NOUNS)
        adjectives = chance.sample(ADJECTIVES, chance.randint(0, 2))
        return [article, *adjectives, noun], [article, noun, *adjectives]

    (one, one_said), (other, other_said), verb = thing(), thing(), chance.choice(VERBS)
    return " ".join([*one, verb, *other]), " ".join(f"{word}o" for word in [*one_said, *other_said, verb])


def pairs(count: int, seed: int) -> list[tuple[str, str]]:
    chance = random.Random(seed)
    return [sentence(chance) for _ in range(count)]


def encoded(text: str, vocabulary: dict[str, int]) -> np.ndarray:
    return np.array([vocabulary.get(word, 1) for word in text.split()])


def records(sentences: list[tuple[str, str]]) -> bytes:
    return write_tensors({"source": encoded(one, SOURCE), "target": encoded(two, TARGET)} for one, two in sentences)


@pytest.mark.slow
@pytest.mark.clients
def test_it_learns_a_grammar(platform: Platform, tmp_path: Path) -> None:
    channels: dict[str, Any] = {}
    for name, files in {
        "train": {"train.rec": records(pairs(2000, 1))},
        "validation": {"val.rec": records(pairs(200, 2))},
        "vocab": {"vocab.src.json": json.dumps(SOURCE).encode(), "vocab.trg.json": json.dumps(TARGET).encode()},
    }.items():
        channels[name] = {"path": str(tmp_path / name)}
        (tmp_path / name).mkdir()
        for file, content in files.items():
            (tmp_path / name / file).write_bytes(content)
    asked = pairs(40, 3)
    lines = "".join(f"{json.dumps({'source': source})}\n" for source, _ in asked)
    instance = {"data": "the wild cat eats a fish", "configuration": {"attention_matrix": "true"}}
    found = estimate(
        platform,
        tmp_path,
        {
            "algorithm": "seq2seq",
            "hyperparameters": PARAMETERS,
            "channels": channels,
            "requests": [
                ("application/jsonlines", lines),
                ("application/json", json.dumps({"instances": [instance, {"data": "a dog likes the bird"}]})),
                ["application/x-recordio-protobuf", base64.b64encode(records([(asked[0][0], "")])).decode()],
            ],
        },
    )
    said = [json.loads(line)["target"] for line in found["answers"][0].splitlines()]
    assert bleu([each.split() for each in said], [target.split() for _, target in asked]) > 0.9
    first, second = json.loads(found["answers"][1])["predictions"]
    assert first["target"] == "theo cato wildo ao fisho eatso"
    assert np.array(first["matrix"]).shape == (6, 6)
    assert np.allclose(np.sum(first["matrix"], axis=1), 1, atol=1e-4)
    assert second == {"target": "ao dogo theo birdo likeso"}
    [answer] = read_records(io.BytesIO(base64.b64decode(found["answers"][2])))
    assert read_features(answer)["target"].tolist() == encoded(said[0], TARGET).tolist()
    metrics = metrics_of(platform, found["job"])
    assert metrics["validation:bleu"] > 0.9
    assert metrics["validation:accuracy"] > 0.95
    assert metrics["validation:perplexity"] < 1.3
    await_deletion(platform, "seq2seq")


@pytest.fixture
def translator(container: Container) -> Container:
    container.python = python_of("seq2seq:1")
    return container


def give(container: Container, train: bytes, vocabulary: str | None = None, **given: str) -> None:
    container.configure("hyperparameters", PARAMETERS | given)
    container.configure(
        "inputdataconfig", {name: {"TrainingInputMode": "File"} for name in ("train", "validation", "vocab")}
    )
    files = {"train/train.rec": train, "validation/val.rec": records(pairs(20, 2))}
    files |= {"vocab/vocab.src.json": json.dumps(SOURCE).encode()}
    files |= {"vocab/vocab.trg.json": (vocabulary or json.dumps(TARGET)).encode()}
    for name, content in files.items():
        path = container.root / "input" / "data" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)


def test_layers_gru_and_sigterm(translator: Container) -> None:
    give(
        translator, records(pairs(200, 1)), rnn_cell_type="gru", num_layers_encoder="2", num_layers_decoder="3",
        rnn_residual_connections="true", rnn_attention_type="dot", rnn_decoder_state_init="avg",
        max_num_batches="-1", checkpoint_frequency_num_batches="5", checkpoint_threshold="100000",
        optimizer_type="sgd", lr_scheduler_type="fixed_rate_inv_t", bleu_sample_size="0",
    )  # fmt: skip
    process = translator.start(*TRAIN)
    assert process.stdout is not None
    assert any("validation perplexity <loss>=" in line for line in process.stdout)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 0
    with translator.serve(*SERVE) as server:
        status, _, body = server.invoke('{"instances": [{"data": "the cat sees a dog"}]}', "application/json")
        assert (status, list(json.loads(body)["predictions"][0])) == (200, ["target"])
        assert server.invoke('{"instances": [{"text": 1}]}', "application/json")[0] == 400
        assert server.invoke("a", "text/csv")[0] == 415


@pytest.mark.parametrize(
    ("train", "given", "reason"),
    [
        (b"", {}, "Unable to read data channel 'train': there is no data in it"),
        (b"no records", {}, "train.rec: no RecordIO record begins at byte 0"),
        (
            write_tensors([{"source": np.array([500]), "target": np.array([4])}]),
            {},
            "that its vocabulary does not have",
        ),
        (write_tensors([{"source": np.array([5])}]), {}, "record 1 has no numbers in the feature 'target'"),
        (records(pairs(2, 1)), {"vocabulary": "{"}, "vocab.trg.json is no JSON"),
        (b"", {"encoder_type": "cnn"}, "cnn are not built in Clary yet"),
    ],
)
def test_what_is_wrong_is_said(translator: Container, train: bytes, given: dict[str, Any], reason: str) -> None:
    give(translator, train, **given)
    status, output = translator.run(*TRAIN)
    assert status != 0, output
    assert reason in (translator.failure or "")
    assert (translator.failure or "").startswith("ClientError: ")
