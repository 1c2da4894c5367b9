"""Object Detection through the SDK's Estimator, on pictures of squares, and of circles and triangles, too."""

import base64
import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.algorithms.estimators import estimate
from tests.algorithms.pictures import boxes, encode, framed, record, scene
from tests.algorithms.shapes import shapes
from tests.algorithms.walk import metrics_of
from tests.clients.programs import await_deletion
from tests.environments import python_of
from tests.platform import Platform
from tests.programs import log_lines
from tests.toolkits.container import Container

TRAIN = ("clary.algorithms", "object-detection", "train")
RECORDIO, IMAGE, JSON = "application/x-recordio", "application/x-image", "application/json"
SMALL = {
    "num_classes": "2",
    "num_training_samples": "2",
    "base_network": "resnet-50",
    "use_pretrained_model": "0",
    "epochs": "1",
    "mini_batch_size": "4",
}
SIDE = 48
UNREACHABLE = "http://127.0.0.1:9"


def scenes(seed: int, count: int) -> list[tuple[bytes, list[list[int]]]]:
    random = np.random.default_rng(seed)
    return [(encode(picture), boxes(mask)) for picture, mask in (scene(random, SIDE) for _ in range(count))]


def records(pictures: list[tuple[bytes, list[list[int]]]], side: int = SIDE) -> bytes:
    """With a header of three numbers, as some tools write it."""
    found = []
    for picture, objects in pictures:
        labels = [3.0, 5.0, 0.0]
        for kind, left, top, width, height in objects:
            labels += [kind, left / side, top / side, (left + width) / side, (top + height) / side]
        found.append(record(labels, picture))
    return b"".join(found)


def annotation(objects: list[list[int]]) -> str:
    names = ("class_id", "left", "top", "width", "height")
    size = [{"width": SIDE, "height": SIDE, "depth": 3}]
    return json.dumps({"image_size": size, "annotations": [dict(zip(names, each, strict=True)) for each in objects]})


@pytest.mark.slow
@pytest.mark.clients
def test_two_instances_train_a_model_that_predicts(platform: Platform, tmp_path: Path) -> None:
    pictures = scenes(0, 4)
    (tmp_path / "pictures.rec").write_bytes(records(pictures))
    asked = {
        "algorithm": "object-detection",
        "instances": 2,
        "hyperparameters": {**SMALL, "num_training_samples": "4", "epochs": "2", "kv_store": "dist_sync"},
        "channels": {
            name: {"path": str(tmp_path / "pictures.rec"), "content_type": RECORDIO} for name in ("train", "validation")
        },
        "requests": [[IMAGE, base64.b64encode(pictures[0][0]).decode()]],
    }
    found = estimate(platform, tmp_path, asked)
    objects = np.array(json.loads(found["answers"][0])["prediction"])
    assert objects.shape[1] == 6
    assert set(objects[:, 0]) <= {0, 1}
    assert (np.diff(objects[:, 1]) <= 0).all()
    assert ((objects[:, 1:] >= 0) & (objects[:, 1:] <= 1)).all()
    metrics = metrics_of(platform, found["job"])
    assert 0 <= metrics["validation:mAP"] <= 1
    assert metrics["train:cross_entropy"] > 0
    assert metrics["train:smooth_l1"] > 0
    assert metrics["train:progress"] == 100
    told = log_lines(platform, found["job"])
    assert sum("Training on algo-1, algo-2" in line for line in told) == 2
    assert sum("validation mAP <score>" in line for line in told) == 2  # An epoch each: one instance tells for both.
    await_deletion(platform, "object-detection")


def write_files(container: Container) -> Path:
    """Pictures with a file of JSON for each."""
    data = container.root / "input/data"
    for name in ("train", "validation"):
        (data / name).mkdir()
        (data / f"{name}_annotation").mkdir()
        for number, (picture, objects) in enumerate(scenes(1, 2)):
            (data / name / f"{number}.ppm").write_bytes(picture)
            (data / f"{name}_annotation" / f"{number}.json").write_text(annotation(objects))
    return data


def configure(container: Container, parameters: dict[str, str], **more: str) -> None:
    kinds = {"train": IMAGE, "validation": IMAGE, "train_annotation": JSON, "validation_annotation": JSON, **more}
    channels = {name: {"ContentType": kind, "TrainingInputMode": "File"} for name, kind in kinds.items()}
    container.configure("inputdataconfig", channels)
    container.configure("hyperparameters", SMALL | parameters)


def first_weights(container: Container) -> bytes:
    """Of the first layer, as torch's archive has them."""
    with zipfile.ZipFile(container.root / "model/model.pt") as archive:
        return archive.read("model/data/0")


def test_files_and_a_manifest_from_that_model_on(tmp_path: Path) -> None:
    first, second = (Container(tmp_path / name, python_of("object-detection:1")) for name in ("first", "second"))
    write_files(first)
    configure(first, {})
    status, output = first.run(*TRAIN)
    assert status == 0, output
    shutil.copytree(first.root / "model", second.root / "input/data/model")
    for name in ("train", "validation"):
        pairs = b"".join(framed(picture) + framed(annotation(objects).encode()) for picture, objects in scenes(1, 2))
        (second.root / "input/data" / f"{name}_0").write_bytes(pairs)
    pipe = {"ContentType": IMAGE, "TrainingInputMode": "Pipe", "RecordWrapperType": "RecordIO"}
    model = {"ContentType": "application/x-sagemaker-model", "TrainingInputMode": "File"}
    second.configure("inputdataconfig", {"train": pipe, "validation": pipe, "model": model})
    second.configure("hyperparameters", {**SMALL, "freeze_layer_pattern": "^stem"})
    status, output = second.run(*TRAIN)
    assert status == 0, output
    assert "validation mAP <score>=(" in output
    assert first_weights(second) == first_weights(first)


def drawn(seed: int, count: int, side: int = 80) -> list[tuple[bytes, list[list[int]]]]:
    """Circles, squares and triangles of any colour."""
    random = np.random.default_rng(seed)
    return [(encode(picture), boxes(mask)) for picture, mask in (shapes(random, side) for _ in range(count))]


@pytest.mark.slow
@pytest.mark.clients
@pytest.mark.parametrize(
    ("base", "count", "size", "precision"),
    [("resnet-50", 90, 6, 0.6), ("vgg-16", 44, 4, 0.3)],
)
def test_it_finds_shapes_in_pictures_that_are_new(
    platform: Platform, tmp_path: Path, base: str, count: int, size: int, precision: float
) -> None:
    channels = {}
    for seed, (name, number) in enumerate({"train": count, "validation": 12}.items()):
        (tmp_path / f"{name}.rec").write_bytes(records(drawn(seed, number), 80))
        channels[name] = {"path": str(tmp_path / f"{name}.rec"), "content_type": RECORDIO}
    learning = {
        "num_classes": "3",
        "base_network": base,
        "num_training_samples": str(count),
        "mini_batch_size": str(size),
        "epochs": "4",
        "optimizer": "adam",
        "learning_rate": "0.0005",
        "lr_scheduler_step": "2,3",
        "lr_scheduler_factor": "0.3",
    }
    [(picture, objects)] = drawn(2, 1)
    asked = {
        "algorithm": "object-detection",
        "hyperparameters": SMALL | learning,
        "channels": channels,
        "requests": [[IMAGE, base64.b64encode(picture).decode()]],
    }
    found = estimate(platform, tmp_path, asked)
    assert metrics_of(platform, found["job"])["validation:mAP"] > precision
    surest = json.loads(found["answers"][0])["prediction"][0]
    assert surest[0] in {kind for kind, *_ in objects}
    await_deletion(platform, "object-detection")


def test_what_is_wrong_is_told(tmp_path: Path) -> None:
    container = Container(tmp_path / "ml", python_of("object-detection:1"))
    data = write_files(container)

    def failure(**parameters: str) -> str:
        (container.root / "output/failure").unlink(missing_ok=True)
        configure(container, parameters)
        assert container.run(*TRAIN, https_proxy=UNREACHABLE)[0] == 2
        return container.failure or ""

    told = failure(use_pretrained_model="1")
    assert told.startswith("ClientError: use_pretrained_model needs weights of resnet50 that torchvision downloads")
    (data / "train_annotation/0.json").write_text(annotation([[2, 0, 0, 9, 9]]))
    assert failure() == "ClientError: 0.ppm has an object of class 2: classes are numbers from 0 to 1."
