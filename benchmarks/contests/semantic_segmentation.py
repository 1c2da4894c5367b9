"""Networks that tell of each pixel what it is, beside the plain loop that torchvision's own examples have: its network
and its variations of pictures, a DataLoader with a process for each processor, the same optimizer and falling rate, and
the pictures that the network is judged by after each epoch."""

import math
import os
from typing import Any

import numpy as np
import torch
from tests.algorithms.pictures import encode, encode_mask
from tests.algorithms.shapes import KINDS, shapes
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, Dataset

from benchmarks.contests import Given, TrainingJob, contest
from clary.algorithms.semantic_segmentation.masks import IGNORED
from clary.algorithms.semantic_segmentation.network import build
from clary.algorithms.semantic_segmentation.training import judged
from clary.algorithms.vision.library import models
from clary.algorithms.vision.pictures import DEVIATION, MEAN
from clary.algorithms.vision.weights import read

ON_GPU = torch.cuda.is_available()
DEVICE = "cuda" if ON_GPU else "cpu"
WORKERS = len(os.sched_getaffinity(0))
COUNT, RATE = 160, 0.001
SIDE, BATCH, EPOCHS = (64, 16, 20) if ON_GPU else (48, 8, 2)
REFERENCES = {"fcn": "fcn_resnet50", "deeplab": "deeplabv3_resnet50", "psp": "deeplabv3_resnet50"}
"""torchvision has no pyramid."""
CLASSES = 1 + len(KINDS)
Scenes = list[tuple[np.ndarray, np.ndarray]]


def scenes(seed: int, count: int) -> Scenes:
    random = np.random.default_rng(seed)
    return [shapes(random, int(random.integers(64, 97))) for _ in range(count)]


class Seen(Dataset):  # type: ignore[type-arg]
    def __init__(self, held: Scenes, *, varied: bool) -> None:
        from torchvision import tv_tensors  # After the network's module, which makes it ready.
        from torchvision.transforms import v2

        steps: list[Any] = [v2.Resize([SIDE, SIDE])]
        if varied:
            blank = {tv_tensors.Image: 114, tv_tensors.Mask: IGNORED}
            crop = v2.RandomCrop(SIDE, pad_if_needed=True, fill=blank)
            steps = [v2.RandomResize(SIDE // 2, SIDE * 2), v2.RandomHorizontalFlip(), crop]
        last = [v2.ToDtype(torch.float32, scale=True), v2.Normalize(MEAN.tolist(), DEVIATION.tolist())]
        self._held, self._seen = held, v2.Compose([*steps, *last])

    def __len__(self) -> int:
        return len(self._held)

    def __getitem__(self, number: int) -> Any:
        from torchvision import tv_tensors

        picture, mask = (torch.from_numpy(each) for each in self._held[number])
        return self._seen(tv_tensors.Image(picture.permute(2, 0, 1)), tv_tensors.Mask(mask.long()))


class Loop:
    """What is written by hand where there is no built-in algorithm."""

    def __init__(self, algorithm: str, train: Scenes, validation: Scenes) -> None:
        self._make = getattr(models.segmentation, REFERENCES[algorithm])
        self._train, self._validation = Seen(train, varied=True), Seen(validation, varied=False)

    def __call__(self) -> torch.nn.Module:
        torch.manual_seed(0)
        network = self._make(weights=None, weights_backbone=None, num_classes=CLASSES, aux_loss=True)
        network.to(DEVICE)
        optimizer = torch.optim.Adam(network.parameters(), RATE)
        falls = torch.optim.lr_scheduler.PolynomialLR(optimizer, EPOCHS * math.ceil(COUNT / BATCH), 0.9)
        training, validation = self._loader(self._train), self._loader(self._validation)
        for _ in range(EPOCHS):
            network.train()
            for pictures, masks in training:
                scores = network(pictures.to(DEVICE))
                truth = masks.to(DEVICE)
                loss = sum(
                    share * cross_entropy(scores[head], truth, ignore_index=IGNORED)
                    for head, share in (("out", 1), ("aux", 0.5))
                )
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                falls.step()
            overlap(network, validation)
        return network

    def judge(self, network: torch.nn.Module) -> float:
        return overlap(network.to(DEVICE), self._loader(self._validation))

    def _loader(self, seen: Seen) -> "DataLoader[Any]":
        return DataLoader(
            seen,
            BATCH,
            shuffle=seen is self._train,
            num_workers=WORKERS,
            persistent_workers=True,
            pin_memory=ON_GPU,
        )


def overlap(network: torch.nn.Module, validation: "DataLoader[Any]") -> float:
    """The mean of intersections over unions."""
    network.eval()
    confusion = np.zeros((CLASSES, CLASSES), np.int64)
    with torch.inference_mode():
        for pictures, masks in validation:
            found = network(pictures.to(DEVICE))["out"].argmax(dim=1).cpu()
            pairs = (masks * CLASSES + found).flatten()
            confusion += torch.bincount(pairs, minlength=CLASSES**2).numpy().reshape(CLASSES, CLASSES)
    return judged(confusion)[1]


def files(name: str, held: Scenes) -> dict[str, Given]:
    pictures = {f"{number}.ppm": encode(picture) for number, (picture, _) in enumerate(held)}
    masks = {f"{number}.png": encode_mask(mask) for number, (_, mask) in enumerate(held)}
    return {name: Given(pictures, "application/x-image"), f"{name}_annotation": Given(masks, "image/png")}


def network_of(algorithm: str, directory: str) -> torch.nn.Module:
    network = build(algorithm, "resnet-50", CLASSES)
    network.load_state_dict(read(directory)[0])
    return network


def compete(algorithm: str) -> None:
    train, validation = scenes(0, COUNT), scenes(1, 40)
    loop = Loop(algorithm, train, validation)
    job = TrainingJob(
        "semantic-segmentation",
        files("train", train) | files("validation", validation),
        algorithm=algorithm,
        use_pretrained_model=False,
        num_classes=CLASSES,
        num_training_samples=COUNT,
        base_size=SIDE,
        crop_size=SIDE,
        mini_batch_size=BATCH,
        optimizer="adam",
        learning_rate=RATE,
        epochs=EPOCHS,
    )
    contest(
        f"{COUNT} pictures of shapes, {algorithm}, {EPOCHS} epochs",
        f"torchvision's {REFERENCES[algorithm]}, DataLoader",
        job,
        loop,
        "mIOU",
        lambda directory: loop.judge(network_of(algorithm, directory)),
        loop.judge,
        rounds=1,
    )


for algorithm in REFERENCES if ON_GPU else ("fcn",):
    compete(algorithm)
