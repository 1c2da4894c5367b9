"""Sequence-to-Sequence through the SDK's generic Estimator, and as a process, on a small grammar."""

import base64
import io
import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clary.algorithms.seq2seq.bleu import bleu
from clary.algorithms.seq2seq.sentences import read_features
from clary.toolkits.recordio_frames import read_records
from clary.toolkits.recordio_writing import write_tensors
from tests.algorithms.container import refusal, stop_when_it_says, write_files
from tests.algorithms.estimators import estimate
from tests.algorithms.walk import metrics_of
from tests.clients.programs import await_deletion
from tests.environments import python_of
from tests.platform import Platform
from tests.toolkits.container import Container, ModelServer

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
    words = {"vocab.src.json": json.dumps(SOURCE), "vocab.trg.json": vocabulary or json.dumps(TARGET)}
    write_files(container, train={"train.rec": train}, validation={"val.rec": records(pairs(20, 2))}, vocab=words)


def translations(server: ModelServer, sources: list[str]) -> list[dict[str, Any]]:
    """In one request, with what was attended to."""
    instances = [{"data": source, "configuration": {"attention_matrix": "true"}} for source in sources]
    _, _, body = server.invoke(json.dumps({"instances": instances}), "application/json")
    predictions: list[dict[str, Any]] = json.loads(body)["predictions"]
    return predictions


def test_convolutions_learn_the_grammar(translator: Container) -> None:
    give(
        translator, records(pairs(2000, 1)), encoder_type="cnn", decoder_type="cnn", cnn_num_hidden="64",
        num_layers_encoder="2", num_layers_decoder="2", training_metric="accuracy", batch_size="32",
        learning_rate="0.003", max_num_batches="200", checkpoint_frequency_num_batches="100",
    )  # fmt: skip
    status, output = translator.run(*TRAIN)
    assert status == 0, output
    assert "Train-accuracy=" in output
    asked = pairs(40, 3)
    with translator.serve(*SERVE) as server:
        found = translations(server, [source for source, _ in asked])
        # Each is searched as if it were alone.
        for number in range(3):
            [alone] = translations(server, [asked[number][0]])
            assert alone["target"] == found[number]["target"]
            assert np.allclose(alone["matrix"], found[number]["matrix"], atol=1e-4)
    said = [each["target"].split() for each in found]
    assert bleu(said, [target.split() for _, target in asked]) > 0.9
    for (source, _), words, each in zip(asked, said, found, strict=True):
        assert np.array(each["matrix"]).shape == (len(words), len(source.split()))
        assert np.allclose(np.sum(each["matrix"], axis=1), 1, atol=1e-4)


@pytest.mark.parametrize(
    "given",
    [
        {
            "rnn_cell_type": "gru", "num_layers_encoder": "2", "num_layers_decoder": "3",
            "rnn_residual_connections": "true", "rnn_attention_type": "dot", "rnn_decoder_state_init": "avg",
            "optimizer_type": "sgd", "lr_scheduler_type": "fixed_rate_inv_t",
        },
        {
            "encoder_type": "cnn", "cnn_num_hidden": "24", "cnn_kernel_width_encoder": "4",
            "cnn_activation_type": "softrelu", "rnn_attention_type": "fixed", "num_layers_decoder": "2",
            "rnn_attention_in_upper_layers": "false", "embed_dropout_source": "0.1",
        },
        {
            "decoder_type": "cnn", "cnn_num_hidden": "24", "cnn_kernel_width_decoder": "1",
            "cnn_activation_type": "tanh", "cnn_hidden_dropout": "0.1", "bucketing_enabled": "false",
            "optimizer_type": "rmsprop", "lr_scheduler_type": "fixed_rate_inv_sqrt_t",
        },
    ],
    ids=["gru", "cnn to rnn", "rnn to cnn"],
)  # fmt: skip
def test_what_was_learned_by_sigterm_translates(translator: Container, given: dict[str, str]) -> None:
    endless = {"max_num_batches": "-1", "checkpoint_frequency_num_batches": "5", "checkpoint_threshold": "100000"}
    give(translator, records(pairs(200, 1)), **endless, **given, bleu_sample_size="0")
    stop_when_it_says(translator, "validation perplexity <loss>=", *TRAIN)
    with translator.serve(*SERVE) as server:
        [found] = translations(server, ["the cat sees a dog"])
        assert np.array(found["matrix"]).shape[1] == 5
        assert server.invoke('{"instances": [{"text": 1}]}', "application/json")[0] == 400
        assert server.invoke("a", "text/csv")[0] == 415


@pytest.mark.parametrize(
    ("train", "given", "reason"),
    [
        (b"", {}, "Unable to read data channel 'train': there is no data in it"),
        (b"no records", {}, "train.rec: record 1: no RecordIO record begins at byte 0"),
        (
            write_tensors([{"source": np.array([500]), "target": np.array([4])}]),
            {},
            "that its vocabulary does not have",
        ),
        (write_tensors([{"source": np.array([5])}]), {}, "record 1 has no numbers in the feature 'target'"),
        (records(pairs(2, 1)), {"vocabulary": "{"}, "vocab.trg.json is no JSON"),
        (b"", {"rnn_num_hidden": "63"}, "rnn_num_hidden is 63, and must be a multiple of 2"),
    ],
)
def test_what_is_wrong_is_said(translator: Container, train: bytes, given: dict[str, Any], reason: str) -> None:
    give(translator, train, **given)
    assert reason in refusal(translator, *TRAIN)
