"""Image Classification through the SDK's Estimator, on pictures of shapes."""

import base64
import json
from pathlib import Path

import numpy as np
import pytest

from tests.algorithms.estimators import estimate
from tests.algorithms.pictures import SHAPES, draw, encode, record
from tests.algorithms.walk import metrics_of
from tests.clients.programs import await_deletion
from tests.environments import python_of
from tests.platform import Platform
from tests.toolkits.container import Container

TRAIN = ("clary.algorithms", "image-classification", "train")
RECORDIO, IMAGE = "application/x-recordio", "application/x-image"
UNREACHABLE = "http://127.0.0.1:9"
LEARNING = {
    "num_layers": "20",
    "image_shape": "3,24,24",
    "mini_batch_size": "16",
    "optimizer": "adam",
    "learning_rate": "0.003",
}


def make_pictures(seed: int, count: int) -> list[tuple[int, bytes]]:
    random = np.random.default_rng(seed)
    return [(number % len(SHAPES), encode(draw(number % len(SHAPES), random))) for number in range(count)]


@pytest.mark.slow
@pytest.mark.clients
def test_it_trains_deploys_and_predicts(platform: Platform, tmp_path: Path) -> None:
    training, validation = make_pictures(0, 150), make_pictures(1, 30)
    for name, pictures in (("train", training), ("validation", validation)):
        (tmp_path / f"{name}.rec").write_bytes(b"".join(record([label], picture) for label, picture in pictures))
    parameters = {**LEARNING, "num_classes": "3", "num_training_samples": "150", "epochs": "6", "top_k": "2"}
    channels = {
        name: {"path": str(tmp_path / f"{name}.rec"), "content_type": RECORDIO} for name in ("train", "validation")
    }
    requests = [[IMAGE, base64.b64encode(picture).decode()] for _, picture in validation[:9]]
    asked = {
        "algorithm": "image-classification",
        "hyperparameters": parameters,
        "channels": channels,
        "requests": requests,
    }
    found = estimate(platform, tmp_path, asked)
    shares = np.array([json.loads(answer) for answer in found["answers"]])
    assert shares.shape == (9, 3)
    assert shares.sum(axis=1) == pytest.approx(np.ones(9), abs=1e-5)
    accuracy = metrics_of(platform, found["job"])["validation:accuracy"]
    assert accuracy > 0.8
    assert (shares.argmax(axis=1) == [label for label, _ in validation[:9]]).mean() > 0.6
    await_deletion(platform, "image-classification")


def write_files(container: Container, name: str, pictures: list[tuple[int, bytes]], *, several: bool) -> None:
    """Picture files and the list of them, each in a channel."""
    directory, listing = container.root / "input/data" / name, container.root / "input/data" / f"{name}_lst"
    directory.mkdir()
    listing.mkdir()
    lines = []
    for number, (label, picture) in enumerate(pictures):
        (directory / f"{number}.ppm").write_bytes(picture)
        labels = [int(label == each) for each in range(len(SHAPES))] if several else [label]
        lines.append("\t".join([str(number), *map(str, labels), f"{number}.ppm"]))
    (listing / f"{name}.lst").write_text("\n".join(lines) + "\n")
    channels = {each: {"ContentType": IMAGE, "TrainingInputMode": "File"} for each in (name, f"{name}_lst")}
    container.configure("inputdataconfig", channels)


def test_listed_files_with_several_labels_and_then_from_that_model_on(tmp_path: Path) -> None:
    first = Container(tmp_path / "first", python_of("image-classification:1"))
    write_files(first, "train", make_pictures(0, 90), several=True)
    parameters = {**LEARNING, "num_classes": "3", "num_training_samples": "90", "epochs": "4", "multi_label": "1"}
    first.configure("hyperparameters", parameters)
    status, output = first.run(*TRAIN)
    assert status == 0, output
    reached = float(output.rpartition("Train-accuracy=")[2].split()[0])
    assert reached > 0.75

    second = Container(tmp_path / "second", python_of("image-classification:1"))
    write_files(second, "train", make_pictures(0, 90), several=True)
    channels = json.loads((second.root / "input/config/inputdataconfig.json").read_text())
    channels["model"] = {"ContentType": "application/x-sagemaker-model", "TrainingInputMode": "File"}
    second.configure("inputdataconfig", channels)
    (first.root / "model").rename(second.root / "input/data/model")
    second.configure("hyperparameters", {**parameters, "epochs": "1"})
    status, output = second.run(*TRAIN)
    assert status == 0, output
    assert float(output.rpartition("Train-accuracy=")[2].split()[0]) > reached - 0.15


@pytest.mark.slow
def test_a_network_for_larger_pictures_stops_early_and_leaves_its_checkpoints(tmp_path: Path) -> None:
    container = Container(tmp_path / "ml", python_of("image-classification:1"))
    random = np.random.default_rng(0)
    for name, count in (("train", 60), ("validation", 15)):
        (container.root / "input/data" / name).mkdir()
        drawn = [(number % 3, encode(draw(number % 3, random, 48))) for number in range(count)]
        written = b"".join(record([label], picture) for label, picture in drawn)
        (container.root / "input/data" / name / "a.rec").write_bytes(written)
    kind = {"ContentType": RECORDIO, "TrainingInputMode": "File"}
    container.configure("inputdataconfig", {"train": kind, "validation": kind})
    larger = {"num_layers": "18", "image_shape": "3,40,40", "num_classes": "3", "num_training_samples": "60"}
    varied = {"augmentation_type": "crop_color_transform", "precision_dtype": "float16", "checkpoint_frequency": "2"}
    # No accuracy is twice as good as one above a half.
    early = {"early_stopping": "True", "early_stopping_min_epochs": "3", "early_stopping_patience": "2"}
    parameters = {**LEARNING, **larger, **varied, **early, "early_stopping_tolerance": "1", "epochs": "40"}
    container.configure("hyperparameters", parameters)
    output, _ = container.start(*TRAIN).communicate(timeout=600)
    epochs = output.count("Validation-accuracy=")
    assert 3 <= epochs < 40, output
    assert f"Early stop after epoch {epochs}: stopping training now." in output
    found = {path.name for path in (container.root / "model").iterdir()}
    checkpoints = {f"model-{number:04d}.pt" for number in range(2, epochs + 1, 2)}
    assert found == {"model.pt", "model-shapes.json"} | checkpoints


@pytest.mark.slow
def test_it_saves_the_best_so_far_when_it_is_told_to_stop(tmp_path: Path) -> None:
    container = Container(tmp_path / "ml", python_of("image-classification:1"))
    write_files(container, "train", make_pictures(0, 24), several=False)
    given = {"num_classes": "3", "num_training_samples": "24", "epochs": "100000", "mini_batch_size": "8"}
    container.configure("hyperparameters", {**LEARNING, **given})
    process = container.start(*TRAIN)
    assert process.stdout is not None
    for line in process.stdout:
        if "Epoch[1] Train-accuracy=" in line:
            process.terminate()
            break
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output
    assert "Told to stop after epoch " in output
    assert {path.name for path in (container.root / "model").iterdir()} == {"model.pt", "model-shapes.json"}


@pytest.mark.parametrize(
    ("parameters", "line", "reason"),
    [
        ({}, "1\t7\tpicture.ppm", "picture.ppm has the label 7: labels are whole numbers from 0 to 2."),
        ({}, "1\t0\tother.ppm", "train.lst, line 1 names the image 'other.ppm', which is not in the channel 'train'."),
        ({"num_layers": "50"}, "1\t0\tpicture.ppm", "'50' is not valid for the 'num_layers'"),
        ({"image_shape": "3,24"}, "1\t0\tpicture.ppm", "is not valid for the 'image_shape'"),
        ({"checkpoint_frequency": "31"}, "1\t0\tpicture.ppm", "'31' is not valid for the 'checkpoint_frequency'"),
        ({"use_pretrained_model": "1"}, "1\t0\tpicture.ppm", "There are no pretrained weights of resnet20"),
        (
            {"use_pretrained_model": "1", "image_shape": "3,32,32", "num_layers": "50"},
            "1\t0\tpicture.ppm",
            "use_pretrained_model needs weights of resnet50 that torchvision downloads, and this instance cannot reach",
        ),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, parameters: dict[str, str], line: str, reason: str) -> None:
    container = Container(tmp_path / "ml", python_of("image-classification:1"))
    write_files(container, "train", [(0, make_pictures(0, 1)[0][1])], several=False)
    (container.root / "input/data/train/0.ppm").rename(container.root / "input/data/train/picture.ppm")
    (container.root / "input/data/train_lst/train.lst").write_text(line + "\n")
    given = {**LEARNING, "num_classes": "3", "num_training_samples": "1", **parameters}
    container.configure("hyperparameters", given)
    assert container.run(*TRAIN, https_proxy=UNREACHABLE)[0] == 2
    assert container.failure is not None
    assert container.failure.startswith("ClientError: ")
    assert reason in container.failure
