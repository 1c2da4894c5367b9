"""Residual networks beside the plain loop that torchvision's own examples have: a Dataset of files, a DataLoader with a
process for each processor, the same network, optimizer and variations, and the pictures that the network is judged by
after each epoch."""

import io
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from tests.algorithms.digits import read_digits
from tests.algorithms.pictures import draw, record
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, Dataset

from benchmarks.contests import Given, TrainingJob, contest
from clary.algorithms.image_classification.network import build, load

RECORDIO = "application/x-recordio"
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
WORKERS = len(os.sched_getaffinity(0))
Labelled = list[tuple[int, bytes]]


class Files(Dataset):  # type: ignore[type-arg]
    def __init__(self, directory: Path, pictures: Labelled, mode: str, seen: Any) -> None:
        self._files, self._mode, self._seen = [], mode, seen
        for number, (label, picture) in enumerate(pictures):
            self._files.append((directory / str(number), label))
            self._files[-1][0].write_bytes(picture)

    def __len__(self) -> int:
        return len(self._files)

    def __getitem__(self, number: int) -> tuple[Any, int]:
        path, label = self._files[number]
        with open(path, "rb") as file:
            return self._seen(Image.open(file).convert(self._mode)), label


class Loop:
    """What is written by hand where there is no built-in algorithm."""

    def __init__(self, parts: dict[str, Labelled], side: int, given: dict[str, Any], *, crops: bool) -> None:
        from torchvision import transforms  # After the network's module, which makes it ready.

        self._given, self._channels = given, 3 if crops else 1
        last = [transforms.ToTensor(), transforms.Normalize([0.45] * self._channels, [0.225] * self._channels)]
        varied = [transforms.RandomCrop(side), transforms.RandomHorizontalFlip()] if crops else []
        whole = [transforms.Resize(side), transforms.CenterCrop(side)] if crops else []
        self._held = tempfile.TemporaryDirectory(prefix="contest-")
        self._data = {}
        for name, steps in (("train", varied), ("validation", whole)):
            directory = Path(self._held.name) / name
            directory.mkdir()
            seen = transforms.Compose([*steps, *last])
            self._data[name] = Files(directory, parts[name], "RGB" if crops else "L", seen)

    def loader(self, name: str) -> "DataLoader[Any]":
        return DataLoader(
            self._data[name],
            self._given["mini_batch_size"],
            shuffle=name == "train",
            num_workers=WORKERS,
            persistent_workers=True,
            pin_memory=DEVICE == "cuda",
        )

    def __call__(self) -> torch.nn.Module:
        given = self._given
        torch.manual_seed(0)
        network = build(given["num_layers"], self._channels, given["num_classes"]).to(DEVICE)
        optimizer = torch.optim.Adam(network.parameters(), given["learning_rate"])
        falls = torch.optim.lr_scheduler.MultiStepLR(optimizer, [given["lr_scheduler_step"]], 0.1)
        training, validation = self.loader("train"), self.loader("validation")
        for _ in range(given["epochs"]):
            network.train()
            for pictures, labels in training:
                optimizer.zero_grad()
                cross_entropy(network(pictures.to(DEVICE)), labels.to(DEVICE)).backward()
                optimizer.step()
            falls.step()
            accuracy(network, validation)
        return network

    def judge(self, network: torch.nn.Module) -> float:
        return accuracy(network.to(DEVICE), self.loader("validation"))


def accuracy(network: torch.nn.Module, validation: "DataLoader[Any]") -> float:
    network.eval()
    with torch.inference_mode():
        right = [
            (network(pictures.to(DEVICE)).argmax(dim=1).cpu() == labels).float() for pictures, labels in validation
        ]
    return float(torch.cat(right).mean())


def photographs(seed: int, count: int) -> Labelled:
    """JPEG files of 160 x 128 pixels with one of three shapes."""
    random, found = np.random.default_rng(seed), []
    for number in range(count):
        file = io.BytesIO()
        Image.fromarray(draw(number % 3, random)).resize((160, 128)).save(file, "JPEG")
        found.append((number % 3, file.getvalue()))
    return found


def compete(data: str, parts: dict[str, Labelled], side: int, given: dict[str, Any], rounds: int) -> None:
    crops = "augmentation_type" in given
    channels = {
        name: Given({"a.rec": b"".join(record([label], picture) for label, picture in part)}, RECORDIO)
        for name, part in parts.items()
    }
    given = {"num_training_samples": len(parts["train"]), "optimizer": "adam", **given}
    shape = f"{3 if crops else 1},{side},{side}"
    loop = Loop(parts, side, given, crops=crops)
    contest(
        data,
        "torchvision, DataLoader",
        TrainingJob("image-classification", channels, image_shape=shape, **given),
        loop,
        "accuracy",
        lambda directory: loop.judge(load(directory)[0]),
        loop.judge,
        rounds,
    )


digits = read_digits()
reading = {"num_layers": 20, "num_classes": 10, "mini_batch_size": 32, "learning_rate": 0.003}
compete(
    "3,000 digits of 28 x 28, ResNet-20, 6 epochs",
    {"train": digits[:2500], "validation": digits[2500:]},
    28,
    {**reading, "epochs": 6, "lr_scheduler_step": 5},
    rounds=1,
)
count = 6000 if DEVICE == "cuda" else 300
seeing = {"num_layers": 18, "num_classes": 3, "mini_batch_size": 32, "learning_rate": 0.001}
compete(
    f"{count:,} JPEG files of 160 x 128, ResNet-18 on 112 x 112, 3 epochs",
    {"train": photographs(0, count), "validation": photographs(1, 100)},
    112,
    {**seeing, "epochs": 3, "lr_scheduler_step": 2, "augmentation_type": "crop"},
    rounds=1,
)
