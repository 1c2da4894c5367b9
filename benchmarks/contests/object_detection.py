"""Single-shot detectors beside the plain loop that torchvision's own examples have: its SSD300 on VGG-16 and its
variations of pictures, a DataLoader with a process for each processor, the same optimizer and rate, and the pictures
that the detector is judged by after each epoch.

On processors, which take seconds for a picture, few steps are made, after which nothing is found yet: what is compared
then is the loss on pictures that were not learned from, of which less is better.
"""

import os
from typing import Any

import numpy as np
import torch
from tests.algorithms.pictures import boxes, encode, record
from tests.algorithms.shapes import KINDS, shapes
from torch.utils.data import DataLoader, Dataset

from benchmarks.contests import Given, TrainingJob, contest
from clary.algorithms.object_detection.boxes import judged, mean_average_precision
from clary.algorithms.object_detection.finding import find
from clary.algorithms.object_detection.network import build, losses
from clary.algorithms.vision.library import models
from clary.algorithms.vision.pictures import DEVIATION, MEAN
from clary.algorithms.vision.weights import read

ON_GPU = torch.cuda.is_available()
DEVICE = "cuda" if ON_GPU else "cpu"
WORKERS = len(os.sched_getaffinity(0))
SIDE, RATE = 300, 0.0003
COUNT, BATCH, EPOCHS = (320, 16, 20) if ON_GPU else (12, 4, 2)
BASE = "vgg-16"
Scenes = list[tuple[np.ndarray, np.ndarray]]
"""Pictures, and their objects: class, left, top, right, bottom, as shares."""


def scenes(seed: int, count: int) -> Scenes:
    random, found = np.random.default_rng(seed), []
    for _ in range(count):
        side = int(random.integers(64, 97))
        picture, mask = shapes(random, side)
        objects = [(kind, x / side, y / side, (x + w) / side, (y + h) / side) for kind, x, y, w, h in boxes(mask)]
        found.append((picture, np.array(objects, np.float32)))
    return found


class Seen(Dataset):  # type: ignore[type-arg]
    def __init__(self, held: Scenes, *, varied: bool) -> None:
        from torchvision.transforms import v2  # After the network's module, which makes it ready.

        steps: list[Any] = []
        if varied:
            blank = [int(255 * part) for part in MEAN]
            steps += [v2.RandomPhotometricDistort(), v2.RandomZoomOut(blank, (1, 2)), v2.RandomIoUCrop()]
            steps += [v2.RandomHorizontalFlip(), v2.SanitizeBoundingBoxes()]
        self._held = held
        self._seen = v2.Compose([*steps, v2.Resize([SIDE, SIDE]), v2.ToDtype(torch.float32, scale=True)])

    def __len__(self) -> int:
        return len(self._held)

    def __getitem__(self, number: int) -> Any:
        from torchvision import tv_tensors

        picture, objects = self._held[number]
        height, width, _ = picture.shape
        places = torch.from_numpy(objects[:, 1:] * np.array([width, height, width, height], np.float32))
        target = {
            "boxes": tv_tensors.BoundingBoxes(places, format="XYXY", canvas_size=(height, width)),
            "labels": torch.from_numpy(objects[:, 0].astype(np.int64) + 1),
        }
        return self._seen(tv_tensors.Image(torch.from_numpy(picture).permute(2, 0, 1)), target)


class Loop:
    """What is written by hand where there is no built-in algorithm."""

    def __init__(self, train: Scenes, validation: Scenes) -> None:
        self._train, self._validation = Seen(train, varied=True), Seen(validation, varied=False)
        self._truths = [objects for _, objects in validation]

    def __call__(self) -> torch.nn.Module:
        torch.manual_seed(0)
        network = models.detection.ssd300_vgg16(
            weights=None,
            weights_backbone=None,
            num_classes=len(KINDS) + 1,
            trainable_backbone_layers=5,
            image_mean=MEAN.tolist(),
            image_std=DEVIATION.tolist(),
        ).to(DEVICE)
        optimizer = torch.optim.Adam(network.parameters(), RATE)
        training, validation = self._loader(self._train), self._loader(self._validation)
        for _ in range(EPOCHS):
            network.train()
            for pictures, targets in training:
                told = network([each.to(DEVICE) for each in pictures], at_device(targets))
                optimizer.zero_grad()
                sum(told.values()).backward()
                optimizer.step()
            self._precision(network, validation)
        return network

    def judge(self, network: torch.nn.Module) -> float:
        network, validation = network.to(DEVICE), self._loader(self._validation)
        return self._precision(network, validation) if ON_GPU else loss(network, validation)

    def _precision(self, network: torch.nn.Module, validation: "DataLoader[Any]") -> float:
        network.eval()
        found = [objects for pictures, _ in validation for objects in find(network, centred(pictures), 0.45)]
        kinds = np.concatenate([objects[:, 0] for objects in self._truths])
        return mean_average_precision(judged(self._truths, found, 0.5), kinds)

    def _loader(self, seen: Seen) -> "DataLoader[Any]":
        return DataLoader(
            seen,
            BATCH,
            shuffle=seen is self._train,
            num_workers=WORKERS,
            persistent_workers=True,
            collate_fn=apart,
            pin_memory=ON_GPU,
        )


def apart(views: list[Any]) -> Any:
    return tuple(zip(*views, strict=True))


def at_device(targets: Any) -> list[dict[str, torch.Tensor]]:
    return [{name: each.to(DEVICE) for name, each in target.items()} for target in targets]


def centred(pictures: Any) -> torch.Tensor:
    mean, deviation = (torch.from_numpy(each).to(DEVICE)[:, None, None] for each in (MEAN, DEVIATION))
    return (torch.stack(pictures).to(DEVICE) - mean) / deviation


def loss(network: torch.nn.Module, validation: "DataLoader[Any]") -> float:
    network.eval()
    with torch.inference_mode():
        told = [sum(losses(network, centred(pictures), at_device(targets))) for pictures, targets in validation]
    return float(torch.stack(told).mean())


def files(held: Scenes) -> Given:
    records = []
    for picture, objects in held:
        records.append(record([2.0, 5.0, *objects.ravel().tolist()], encode(picture)))
    return Given({"pictures.rec": b"".join(records)}, "application/x-recordio")


def network_of(directory: str) -> torch.nn.Module:
    network = build(BASE, len(KINDS), SIDE)
    network.load_state_dict(read(directory)[0])
    return network


train, validation = scenes(0, COUNT), scenes(1, 80 if ON_GPU else 8)
loop = Loop(train, validation)
contest(
    f"{COUNT} pictures of shapes, {BASE}, {EPOCHS} epochs",
    "torchvision's ssd300_vgg16, DataLoader",
    TrainingJob(
        "object-detection",
        {"train": files(train), "validation": files(validation)},
        base_network=BASE,
        use_pretrained_model=0,
        num_classes=len(KINDS),
        num_training_samples=COUNT,
        mini_batch_size=BATCH,
        optimizer="adam",
        learning_rate=RATE,
        epochs=EPOCHS,
    ),
    loop,
    "mAP" if ON_GPU else "loss on others",
    lambda directory: loop.judge(network_of(directory)),
    loop.judge,
    rounds=1,
)
