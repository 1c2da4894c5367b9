"""BlazingText through the SDK's generic Estimator, and as a process, its quality beside fastText's own."""

import json
import random
import re
import signal
import subprocess
from pathlib import Path

import pytest

from tests.algorithms.estimators import estimate
from tests.algorithms.walk import metrics_of
from tests.clients.programs import await_deletion
from tests.environments import python_of
from tests.platform import Platform
from tests.toolkits.container import Container

TRAIN = ("clary.algorithms", "blazingtext", "train")
TOPICS = {
    "sport": "ball team goal match player score coach win game referee",
    "food": "bread cheese soup salt pepper cook oven taste sugar plate",
    "space": "star planet orbit rocket moon comet galaxy light dust probe",
}
REFERENCE = """
import sys, fasttext
model = fasttext.train_supervised(sys.argv[1], epoch=5, lr=0.05, wordNgrams=2, dim=20, bucket=10000, verbose=0)
print(model.test(sys.argv[2])[1])
"""


def sentences(count: int, seed: int, *, labelled: bool) -> str:
    """Of a topic two words in five are its own, the rest are anybody's; some lie about what they are."""
    chance = random.Random(seed)
    lines = []
    for _ in range(count):
        topic = chance.choice(list(TOPICS))
        own, anybody = TOPICS[topic].split(), [f"word{number}" for number in range(50)]
        words = [chance.choice(own if chance.random() < 0.4 else anybody) for _ in range(10)]
        label = chance.choice(list(TOPICS)) if chance.random() < 0.06 else topic
        lines.append(f"__label__{label} {' '.join(words)}" if labelled else " ".join(words))
    return "\n".join(lines) + "\n"


@pytest.mark.slow
@pytest.mark.clients
def test_it_classifies_as_well_as_fasttext(platform: Platform, tmp_path: Path) -> None:
    train, validation = tmp_path / "train.txt", tmp_path / "validation.txt"
    train.write_text(sentences(6000, 1, labelled=True))
    validation.write_text(sentences(2000, 2, labelled=True))
    instances = ["the moon and the comet", "salt bread soup"]
    found = estimate(
        platform,
        tmp_path,
        {
            "algorithm": "blazingtext",
            "hyperparameters": {"mode": "supervised", "vector_dim": 20, "buckets": 10_000},
            "channels": {"train": {"path": str(train)}, "validation": {"path": str(validation)}},
            "requests": [
                ("application/json", json.dumps({"instances": instances})),
                ("application/json", json.dumps({"instances": instances, "configuration": {"k": 2}})),
                ("application/jsonlines", '{"source": "rocket moon", "k": 2}\n{"source": "cheese"}\n'),
            ],
        },
    )
    one, two = map(json.loads, found["answers"][:2])
    assert [each["label"] for each in one] == [["__label__space"], ["__label__food"]]
    assert list(one[0]) == ["label", "prob"]
    assert [len(each["prob"]) for each in two] == [2, 2]
    assert two[0]["prob"][0] == pytest.approx(one[0]["prob"][0])
    lines = [json.loads(line) for line in found["answers"][2].splitlines()]
    assert [len(line["label"]) for line in lines] == [2, 1]
    assert lines[1]["label"] == ["__label__food"]
    command = [python_of("blazingtext:1"), "-c", REFERENCE, str(train), str(validation)]
    assert metrics_of(platform, found["job"])["validation:accuracy"] >= float(subprocess.check_output(command)) - 0.005
    await_deletion(platform, "blazingtext")


@pytest.fixture
def text(container: Container) -> Container:
    container.python = python_of("blazingtext:1")
    return container


def give(
    container: Container, mode: str, files: dict[str, str], content_type: str = "text/plain", **given: str
) -> None:
    container.configure("hyperparameters", {"mode": mode, "vector_dim": "20", "buckets": "10000"} | given)
    channel = {"TrainingInputMode": "File", "S3DistributionType": "FullyReplicated", "ContentType": content_type}
    container.configure("inputdataconfig", dict.fromkeys(files, channel))
    for name, content in files.items():
        directory = container.root / "input" / "data" / name
        directory.mkdir(exist_ok=True)
        (directory / "part-0").write_text(content)


NEIGHBOURS = """
import json, sys
from gensim.models import KeyedVectors
import fasttext_pybind
vectors = KeyedVectors.load_word2vec_format("model/vectors.txt")
model = fasttext_pybind.fasttext()
model.loadModel("model/vectors.bin")
read = fasttext_pybind.Vector(20)
model.getWordVector(read, "moon")
assert abs(vectors["moon"] - read).max() < 1e-3
print(json.dumps([word for word, _ in vectors.most_similar("moon", topn=9)]))
"""


@pytest.mark.parametrize("mode", ["skipgram", "cbow", "batch_skipgram"])
def test_words_of_a_kind_are_neighbours(text: Container, mode: str) -> None:
    give(text, mode, {"train": sentences(3000, 3, labelled=False)}, sampling_threshold="0.01", epochs="10")
    status, output = text.run(*TRAIN, CUDA_VISIBLE_DEVICES="0")
    assert status == 0, output
    assert "the GPUs of this instance (1) are left idle" in output
    assert "#mean_rho: " in output
    evaluated = json.loads((text.root / "model" / "eval.json").read_text())
    assert evaluated["EN-WS-353-ALL.txt"]["total_pairs"] == 353
    found = json.loads(subprocess.check_output([text.python, "-c", NEIGHBOURS], cwd=text.root))
    assert len(set(found) & set(TOPICS["space"].split())) >= 8


def test_augmented_manifests_early_stopping_and_sigterm(text: Container) -> None:
    rows = [line.split(" ", 1) for line in sentences(4000, 4, labelled=True).splitlines()]
    lines = "".join(f"{json.dumps({'source': words, 'label': [label[9:]]})}\n" for label, words in rows)
    channels = {"train": lines, "validation": lines[: len(lines) // 8].rpartition("\n")[0]}
    give(text, "supervised", channels, "application/jsonlines", epochs="100000", early_stopping="true", patience="1")
    status, output = text.run(*TRAIN)
    assert status == 0, output
    assert "Early stopping!" in output
    assert re.search(r"#validation_accuracy: (0\.9|1\.0)", output)
    (text.root / "model" / "model.bin").unlink()
    give(text, "supervised", channels, "application/jsonlines", epochs="100000")
    process = text.start(*TRAIN)
    assert process.stdout is not None
    assert any("Progress:" in line for line in process.stdout)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 0
    assert (text.root / "model" / "model.bin").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("given", "content", "reason"),
    [
        ({"mode": "supervised"}, "no label\n", "ClientError: part-0, line 1: no word begins with __label__"),
        ({"mode": "skipgram"}, "too few\n", "Empty vocabulary. Try a smaller min_count value"),
        ({"mode": "batch_skipgram", "subwords": "True"}, "a b\n", "and not in batch_skipgram"),
        ({"mode": "supervised", "early_stopping": "True"}, "__label__a b\n", "needs the channel validation"),
        ({"mode": "word2vec"}, "a\n", "'word2vec' is not valid for the 'mode'"),
    ],
)
def test_what_is_wrong_is_said(text: Container, given: dict[str, str], content: str, reason: str) -> None:
    give(text, files={"train": content}, **given)
    status, output = text.run(*TRAIN)
    assert status != 0, output
    assert reason in (text.failure or "")
