"""Semantic Segmentation through the SDK's Estimator, on pictures of red and blue squares."""

import base64
import json
import shutil
import struct
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pytest

from clary.toolkits.protobuf import varints
from clary.toolkits.recordio import FEATURES, tensors
from clary.toolkits.recordio_frames import record_at
from tests.algorithms.estimators import estimate
from tests.algorithms.pictures import encode, encode_mask, framed, scene
from tests.algorithms.shapes import shapes
from tests.algorithms.walk import metrics_of
from tests.clients.programs import await_deletion
from tests.environments import python_of
from tests.platform import Platform
from tests.toolkits.container import Container

TRAIN = ("clary.algorithms", "semantic-segmentation", "train")
IMAGE, PNG, PROTOBUF = "application/x-image", "image/png", "application/x-protobuf"
CONTENT = {"train": IMAGE, "validation": IMAGE, "train_annotation": PNG, "validation_annotation": PNG}
SMALL = {
    "num_classes": "3",
    "use_pretrained_model": "False",
    "base_size": "48",
    "crop_size": "32",
    "mini_batch_size": "8",
    "optimizer": "adam",
    "learning_rate": "0.001",
}
UNREACHABLE = "http://127.0.0.1:9"


def write_shapes(directory: Path, name: str, count: int) -> None:
    """Circles, squares and triangles of any colour."""
    random = np.random.default_rng(len(name))
    write_pairs(directory, name, [shapes(random, int(random.integers(64, 97))) for _ in range(count)])


def write_scenes(directory: Path, name: str, count: int, scale: int = 1) -> list[tuple[np.ndarray, np.ndarray]]:
    random = np.random.default_rng(len(name))
    scenes = [scene(random) for _ in range(count)]
    write_pairs(directory, name, scenes, scale)
    return scenes


def write_pairs(directory: Path, name: str, scenes: list[tuple[np.ndarray, np.ndarray]], scale: int = 1) -> None:
    """Picture files and their masks, each in a directory of its own."""
    for part in (name, f"{name}_annotation"):
        (directory / part).mkdir()
    for number, (picture, mask) in enumerate(scenes):
        (directory / name / f"{number}.ppm").write_bytes(encode(picture))
        (directory / f"{name}_annotation" / f"{number}.png").write_bytes(encode_mask(mask * scale))


def decode_mask(encoded: bytes) -> np.ndarray:
    """By the image's own library of pictures."""
    program = "import sys; from PIL import Image; sys.stdout.buffer.write(Image.open(sys.stdin.buffer).tobytes())"
    command = [python_of("semantic-segmentation:1"), "-c", program]
    pixels = subprocess.run(command, input=encoded, capture_output=True, check=True).stdout
    width, height = struct.unpack(">II", encoded[16:24])
    return np.frombuffer(pixels, np.uint8).reshape(height, width)


def decode_shares(encoded: bytes) -> np.ndarray:
    """As AWS's notebook reads them."""
    found = tensors(encoded, *(record_at(encoded, 0) or (0, 0)))
    shape, target = found[FEATURES, "shape"], found[FEATURES, "target"]
    numbers = [np.frombuffer(encoded[slice(*span)], "<f4") for span in target.values]
    return np.concatenate(numbers).reshape(varints(encoded[slice(*shape.values[0])]))


@pytest.mark.slow
@pytest.mark.clients
def test_it_trains_deploys_and_predicts(platform: Platform, tmp_path: Path) -> None:
    write_scenes(tmp_path, "train", 12, scale=3)
    (tmp_path / "label_map").mkdir()
    (tmp_path / "label_map" / "train_label_map.json").write_text(json.dumps({"scale": "3"}))
    scenes = write_scenes(tmp_path, "validation", 4)
    channels = {name: {"path": str(tmp_path / name), "content_type": kind} for name, kind in CONTENT.items()}
    channels["label_map"] = {"path": str(tmp_path / "label_map"), "content_type": "application/json"}
    picture = base64.b64encode(encode(scenes[0][0][:, :40])).decode()
    asked = {
        "algorithm": "semantic-segmentation",
        "hyperparameters": {**SMALL, "num_training_samples": "12", "epochs": "1"},
        "channels": channels,
        "requests": [[IMAGE, picture, PNG], [IMAGE, picture, PROTOBUF]],
    }
    found = estimate(platform, tmp_path, asked)
    mask = decode_mask(base64.b64decode(found["answers"][0]))
    shares = decode_shares(base64.b64decode(found["answers"][1]))
    assert mask.shape == (48, 40)
    assert shares.shape == (1, 3, 48, 40)
    assert shares.sum(axis=1) == pytest.approx(np.ones((1, 48, 40)), abs=1e-4)
    assert (shares[0].argmax(axis=0) == mask).all()
    metrics = metrics_of(platform, found["job"])
    assert 0 < metrics["validation:mIOU"] < metrics["validation:pixel_accuracy"] < 1
    assert metrics["train:loss"] > 0
    assert metrics["train:progress"] == 100
    await_deletion(platform, "semantic-segmentation")


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", ["fcn", "psp", "deeplab"])
def test_it_tells_shapes_apart_in_pictures_that_are_new(tmp_path: Path, algorithm: str) -> None:
    container = Container(tmp_path / "ml", python_of("semantic-segmentation:1"))
    write_shapes(container.root / "input/data", "train", 160)
    write_shapes(container.root / "input/data", "validation", 30)
    learning = {"algorithm": algorithm, "num_classes": "4", "base_size": "64", "crop_size": "64"}
    configure(container, {**learning, "num_training_samples": "160", "epochs": "8"})
    output, _ = container.start(*TRAIN).communicate(timeout=1200)
    assert overlaps(output)[-1] > 0.7  # 0.2 where all is ground.


def test_it_finds_squares_after_a_few_steps(tmp_path: Path) -> None:
    container = Container(tmp_path / "ml", python_of("semantic-segmentation:1"))
    write_scenes(container.root / "input/data", "train", 48)
    write_scenes(container.root / "input/data", "validation", 8)
    configure(container, {"num_training_samples": "48", "epochs": "3"})
    output, _ = container.start(*TRAIN).communicate(timeout=600)
    assert overlaps(output)[-1] > 0.4  # 0.25 where all is ground.


def configure(container: Container, parameters: dict[str, str], *more: str) -> None:
    kinds = CONTENT | dict.fromkeys(more, "application/x-sagemaker-model")
    channels = {name: {"ContentType": kind, "TrainingInputMode": "File"} for name, kind in kinds.items()}
    container.configure("inputdataconfig", channels)
    container.configure("hyperparameters", SMALL | {"num_training_samples": "4"} | parameters)


def first_weights(container: Container) -> bytes:
    """Of the first layer, as torch's archive has them."""
    with zipfile.ZipFile(container.root / "model/model.pt") as archive:
        return archive.read("model/data/0")


def overlaps(output: str) -> list[float]:
    return [float(part.split()[0]) for part in output.split("validation mIOU <score>=")[1:]]


def losses(output: str) -> list[float]:
    return [float(part.split()[0]) for part in output.split("train loss <loss>=")[1:]]


@pytest.mark.slow
def test_a_pyramid_learns_and_another_begins_from_it(tmp_path: Path) -> None:
    first, second = (Container(tmp_path / name, python_of("semantic-segmentation:1")) for name in ("first", "second"))
    for container in (first, second):
        for name in ("train", "validation"):
            write_scenes(container.root / "input/data", name, 4)
    parameters = {"algorithm": "psp", "epochs": "1", "optimizer": "nag"}
    configure(first, parameters | {"lr_scheduler": "cosine"})
    status, output = first.run(*TRAIN)
    assert status == 0, output
    assert len(losses(output)) == 1
    shutil.copytree(first.root / "model", second.root / "input/data/model")
    configure(second, parameters | {"lr_scheduler": "step", "learning_rate": "1e-30"}, "model")
    status, output = second.run(*TRAIN)
    assert status == 0, output
    assert first_weights(second) == first_weights(first)
    configure(second, parameters | {"algorithm": "fcn"}, "model")
    assert second.run(*TRAIN)[0] == 2
    assert second.failure == (
        "ClientError: The model of the channel 'model' has other algorithm than the hyperparameters."
    )


def test_deeplab_learns_from_a_manifest_through_pipes(tmp_path: Path) -> None:
    container = Container(tmp_path / "ml", python_of("semantic-segmentation:1"))
    random = np.random.default_rng(0)
    for name, count in (("train", 3), ("validation", 1)):
        scenes = [scene(random) for _ in range(count)]
        pairs = b"".join(framed(encode(picture)) + framed(encode_mask(mask)) for picture, mask in scenes)
        (container.root / "input/data" / f"{name}_0").write_bytes(pairs)
    pipe = {"ContentType": "application/x-recordio", "TrainingInputMode": "Pipe", "RecordWrapperType": "RecordIO"}
    container.configure("inputdataconfig", {"train": pipe, "validation": pipe})
    parameters = {"num_training_samples": "3", "algorithm": "deeplab", "epochs": "1", "mini_batch_size": "2"}
    container.configure("hyperparameters", SMALL | parameters)
    status, output = container.run(*TRAIN)
    assert status == 0, output
    assert len(losses(output)) == 1
    assert "validation mIOU <score>=" in output


def test_what_is_wrong_is_told(tmp_path: Path) -> None:
    container = Container(tmp_path / "ml", python_of("semantic-segmentation:1"))
    data = container.root / "input/data"
    for name in ("train", "validation"):
        write_scenes(data, name, 1)

    def failure(**parameters: str) -> str:
        (container.root / "output/failure").unlink(missing_ok=True)
        configure(container, parameters)
        assert container.run(*TRAIN, https_proxy=UNREACHABLE)[0] == 2
        return container.failure or ""

    told = failure(use_pretrained_model="True")
    assert told.startswith("ClientError: use_pretrained_model needs weights of resnet50 that torchvision downloads")
    (data / "train_annotation/0.png").write_bytes(encode_mask(np.full((48, 48), 7, np.uint8)))
    assert failure() == "ClientError: 0.png has the class 7: classes are numbers from 0 to 2."
    (data / "train_annotation/0.png").rename(data / "train_annotation/1.png")
    assert failure() == "ClientError: 0.ppm has no annotation of its name (0.png) in 'train_annotation'."
