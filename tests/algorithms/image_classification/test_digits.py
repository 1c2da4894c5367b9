"""How well networks read digits, as AWS's users would have them do it: through the SDK, from records and from lists."""

import base64
import json
from pathlib import Path

import numpy as np
import pytest

from tests.algorithms.digits import read_digits
from tests.algorithms.estimators import estimate
from tests.algorithms.pictures import record
from tests.algorithms.walk import metrics_of
from tests.clients.programs import await_deletion
from tests.environments import python_of
from tests.platform import Platform
from tests.toolkits.container import Container

RECORDIO, IMAGE = "application/x-recordio", "application/x-image"
TRAINED = 2500
"""Of the 3,000; the others are what it is judged by."""
LEARNING = {
    "num_layers": "20",
    "image_shape": "1,28,28",
    "num_classes": "10",
    "num_training_samples": str(TRAINED),
    "mini_batch_size": "32",
    "optimizer": "adam",
    "learning_rate": "0.003",
    "lr_scheduler_step": "5,7",
    "epochs": "8",
}
Channels = dict[str, dict[str, str]]
Digits = list[tuple[int, bytes]]


def as_records(directory: Path, parts: dict[str, Digits]) -> Channels:
    channels = {}
    for name, digits in parts.items():
        (directory / f"{name}.rec").write_bytes(b"".join(record([label], digit) for label, digit in digits))
        channels[name] = {"path": str(directory / f"{name}.rec"), "content_type": RECORDIO}
    return channels


def as_files(directory: Path, parts: dict[str, Digits]) -> Channels:
    """Below a directory for each digit."""
    channels = {}
    for name, digits in parts.items():
        lines = []
        for number, (label, digit) in enumerate(digits):
            path = f"{label}/{number}.png"
            (directory / name / str(label)).mkdir(parents=True, exist_ok=True)
            (directory / name / path).write_bytes(digit)
            lines.append(f"{number}\t{label}\t{path}\n")
        (directory / f"{name}.lst").write_text("".join(lines))
        channels[name] = {"path": str(directory / name), "content_type": IMAGE}
        channels[f"{name}_lst"] = {"path": str(directory / f"{name}.lst"), "content_type": IMAGE}
    return channels


def read_them(platform: Platform, directory: Path, channels: Channels, judged: Digits, **more: object) -> float:
    """The accuracy that the job told; the endpoint's own on some digits is like it."""
    asked = {
        "algorithm": "image-classification",
        "hyperparameters": LEARNING,
        "channels": channels,
        "requests": [[IMAGE, base64.b64encode(digit).decode()] for _, digit in judged[:60]],
        **more,
    }
    found = estimate(platform, directory, asked)
    await_deletion(platform, "image-classification")
    answers = np.array([json.loads(answer) for answer in found["answers"]])
    accuracy = metrics_of(platform, found["job"])["validation:accuracy"]
    served = float(np.mean(answers.argmax(axis=1) == [label for label, _ in judged[:60]]))
    assert served == pytest.approx(accuracy, abs=0.05)
    return accuracy


@pytest.mark.slow
@pytest.mark.clients
@pytest.mark.parametrize("form", [as_records, as_files])
def test_a_network_learns_to_read(platform: Platform, tmp_path: Path, form: object) -> None:
    digits = read_digits()
    assert callable(form)
    channels = form(tmp_path, {"train": digits[:TRAINED], "validation": digits[TRAINED:]})
    assert read_them(platform, tmp_path, channels, digits[TRAINED:]) > 0.97


@pytest.mark.slow
@pytest.mark.clients
def test_two_instances_learn_from_half_of_the_digits_each(platform: Platform, tmp_path: Path) -> None:
    digits = read_digits()
    parts = {"train": tmp_path / "train", "validation": tmp_path / "validation"}
    for name, chosen in (("train", digits[:TRAINED]), ("validation", digits[TRAINED:])):
        parts[name].mkdir()
        for half in (0, 1):
            written = b"".join(record([label], digit) for label, digit in chosen[half::2])
            (parts[name] / f"{half}.rec").write_bytes(written)
    channels = {
        name: {"path": str(path), "content_type": RECORDIO, "distribution": "ShardedByS3Key"}
        for name, path in parts.items()
    }
    assert read_them(platform, tmp_path, channels, digits[TRAINED:], instances=2) > 0.95


def test_a_network_begins_to_read(tmp_path: Path) -> None:
    """A short form, without the SDK."""
    container, digits = Container(tmp_path / "ml", python_of("image-classification:1")), read_digits()
    channels = as_files(tmp_path, {"train": digits[:600], "validation": digits[TRAINED:][:200]})
    for name, channel in channels.items():
        path = Path(channel["path"])
        place = container.root / "input/data" / name
        if path.is_dir():
            path.rename(place)
        else:
            place.mkdir()
            path.rename(place / path.name)
    settings = {"ContentType": IMAGE, "TrainingInputMode": "File"}
    container.configure("inputdataconfig", dict.fromkeys(channels, settings))
    quick = {"num_training_samples": "600", "mini_batch_size": "16", "epochs": "3", "lr_scheduler_step": "2"}
    container.configure("hyperparameters", LEARNING | quick)
    output, _ = container.start("clary.algorithms", "image-classification", "train").communicate(timeout=600)
    assert float(output.rpartition("Validation-accuracy=")[2].split()[0]) > 0.6  # By chance 0.1.
