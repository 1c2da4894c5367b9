"""A job of Semantic Segmentation.

pairs ─ cut out, mirror ─▶ mini-batches ─▶ network, epoch by epoch ─▶ mIOU on whole pictures ─▶ the best epoch

A mean of intersections over unions (mIOU) is over the classes that are in the truth or were found.
"""

import copy
import logging
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn, optim
from torch.nn.functional import cross_entropy

from clary.algorithms.errors import UserError
from clary.algorithms.kit.job import TRAIN, Job
from clary.algorithms.semantic_segmentation.masks import IGNORED, Pair, read_map, read_pairs
from clary.algorithms.semantic_segmentation.network import build, take_backbone
from clary.algorithms.semantic_segmentation.views import at_size, cut, longer_side, numbers, padded
from clary.algorithms.vision.pictures import decode, pixels
from clary.algorithms.vision.weights import MODEL, earlier, save

VALIDATION = "validation"
AUXILIARY = 0.5
"""Weight of the second head's loss (Zhao et al. 2017 have 0.4, Gluon CV 0.5)."""
POWER = 0.9
"""Of the polynomial by which the learning rate falls."""
Views = tuple[Image.Image, Image.Image]


class Training:
    def __init__(self, job: Job) -> None:
        if job.team.size > 1:
            raise UserError("Semantic Segmentation trains on one instance: set InstanceCount to 1.")
        self._job = job
        self._given = job.parameters
        self._side = math.ceil(self._given["crop_size"] / 8) * 8
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._random = np.random.default_rng(0)
        torch.manual_seed(0)
        self._pairs = {name: read_pairs(job, name) for name in (TRAIN, VALIDATION)}
        self._maps = {name: read_map(job, name) for name in (TRAIN, VALIDATION)}
        self._network = self._begin().to(self._device)
        self._optimizer = self._optimizer_of(self._network)
        self._steps = 0

    def run(self) -> None:
        """Leaves the network of the best epoch in the model's directory."""
        kept, best, since = copy.deepcopy(self._network.state_dict()), 0.0, 0
        for epoch in self._job.epochs():
            self._job.score(TRAIN, "loss", self._learn(epoch), epoch=epoch)
            accuracy, overlap = self._judge()
            self._job.score(VALIDATION, "pixel_accuracy", accuracy, "score", epoch=epoch)
            self._job.score(VALIDATION, "mIOU", overlap, "score", epoch=epoch)
            better = overlap > best * (1 + self._given["early_stopping_tolerance"])
            since = 0 if better else since + 1
            if overlap > best:
                kept, best = copy.deepcopy(self._network.state_dict()), overlap
            if self._is_enough(epoch, since):
                logging.info("Early stop after epoch %d.", epoch + 1)
                break
        self._network.load_state_dict(kept)
        save(self._network.cpu(), self._facts | {"base_size": self._given["base_size"]}, self._job.model_directory)

    @property
    def _facts(self) -> dict[str, Any]:
        return {name: self._given[name] for name in ("algorithm", "backbone", "num_classes", "crop_size")}

    def _begin(self) -> nn.Module:
        network = build(self._given["algorithm"], self._given["backbone"], self._given["num_classes"])
        if MODEL in self._job.channels:
            network.load_state_dict(earlier(self._facts))
        elif self._given["use_pretrained_model"]:
            take_backbone(network, self._given["backbone"])
        return network

    def _optimizer_of(self, network: nn.Module) -> optim.Optimizer:
        given, weights, rate = self._given, network.parameters(), self._given["learning_rate"]
        match given["optimizer"]:
            case "adam":
                return optim.Adam(weights, rate, fused=True)
            case "adagrad":
                return optim.Adagrad(weights, rate, fused=True)
            case "rmsprop":
                return optim.RMSprop(weights, rate, alpha=given["gamma1"], momentum=given["gamma2"])
            case kind:
                more = {"momentum": given["momentum"], "nesterov": kind == "nag"}
                return optim.SGD(weights, rate, weight_decay=given["weight_decay"], fused=True, **more)

    def _rate(self, epoch: int) -> float:
        given = self._given
        rate: float = given["learning_rate"]
        planned = given["epochs"] * math.ceil(given["num_training_samples"] / given["mini_batch_size"])
        left = max(1 - self._steps / planned, 0)
        match given["lr_scheduler"]:
            case "poly":
                fallen: float = left**POWER
                return rate * fallen
            case "cosine":
                return rate * (1 - math.cos(math.pi * left)) / 2
        falls = sum(epoch >= step for step in given["lr_scheduler_step"])
        factor: float = given["lr_scheduler_factor"] ** falls
        return rate * factor

    def _learn(self, epoch: int) -> float:
        """One pass; answers with the mean loss."""
        self._network.train()
        losses = []
        for pictures, masks in self._parts():
            for group in self._optimizer.param_groups:
                group["lr"] = self._rate(epoch)
            self._optimizer.zero_grad()
            scores = self._network(pictures)
            loss = self._loss(scores["out"], masks) + AUXILIARY * self._loss(scores["aux"], masks)
            loss.backward()
            self._optimizer.step()
            self._steps += 1
            losses.append(float(loss.detach()))
            if self._job.stopped:
                break
        return float(np.mean(losses))

    def _loss(self, scores: Tensor, masks: Tensor) -> Tensor:
        # The sum is divided by the pixels that count, of which there may be none.
        summed = cross_entropy(scores, masks, ignore_index=IGNORED, reduction="sum")
        return summed / (masks != IGNORED).sum().clamp(min=1)

    def _judge(self) -> tuple[float, float]:
        """Share of the pixels that are right, and mIOU."""
        self._network.eval()
        classes = self._given["num_classes"]
        confusion = np.zeros((classes, classes), np.int64)
        with torch.inference_mode():
            for pictures, masks in self._wholes():
                found = self._network(pictures)["out"].argmax(dim=1)
                counts = masks != IGNORED
                pairs = masks[counts] * classes + found[counts]
                confusion += torch.bincount(pairs, minlength=classes**2).cpu().numpy().reshape(classes, classes)
        return judged(confusion)

    def _parts(self) -> Iterator[tuple[Tensor, Tensor]]:
        pairs, size = self._pairs[TRAIN], self._given["mini_batch_size"]
        order = self._random.permutation(len(pairs))
        for start in range(0, len(order), size):
            chosen = [pairs[number] for number in order[start : start + size]]
            if len(chosen) == 1:
                chosen *= 2  # What is normalised by its batch needs two: another part of the same picture.
            views = [self._opened(pair, TRAIN) for pair in chosen]
            cuts = [cut(*view, self._given["base_size"], self._side, self._random) for view in views]
            yield self._tensors(cuts)

    def _wholes(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Pictures of one longer side, in batches filled up to one size."""
        pairs, size = self._pairs[VALIDATION], self._given["validation_mini_batch_size"]
        for start in range(0, len(pairs), size):
            views = []
            for pair in pairs[start : start + size]:
                picture, mask = self._opened(pair, VALIDATION)
                fitting = longer_side(picture.size, self._given["base_size"])
                views.append((at_size(picture, fitting), mask.resize(fitting, Image.Resampling.NEAREST)))
            largest = max(view.width for view, _ in views), max(view.height for view, _ in views)
            yield self._tensors([padded(*view, largest) for view in views])

    def _opened(self, pair: Pair, name: str) -> Views:
        picture = decode(pair.picture.encoded(), 3, pair.picture.name)
        mask = self._maps[name].classes(pair.mask, self._given["num_classes"])
        if picture.size != mask.size:
            raise UserError(
                f"{pair.mask.name} has {mask.width} x {mask.height} pixels, and its picture {pair.picture.name} has "
                f"{picture.width} x {picture.height}."
            )
        return picture, mask

    def _tensors(self, views: Sequence[Views]) -> tuple[Tensor, Tensor]:
        pictures = torch.from_numpy(np.stack([pixels(picture) for picture, _ in views]))
        masks = torch.from_numpy(np.stack([numbers(mask) for _, mask in views]))
        return pictures.to(self._device), masks.to(self._device)

    def _is_enough(self, epoch: int, since: int) -> bool:
        given = self._given
        begun: bool = epoch + 1 >= given["early_stopping_min_epochs"] and since >= given["early_stopping_patience"]
        return bool(given["early_stopping"]) and begun


def judged(confusion: NDArray[np.int64]) -> tuple[float, float]:
    """From how many pixels of each class (rows) were taken for each class."""
    right = np.diag(confusion)
    unions = confusion.sum(axis=0) + confusion.sum(axis=1) - right
    there = unions > 0
    overlap = float((right[there] / unions[there]).mean()) if there.any() else 0.0
    return float(right.sum() / max(confusion.sum(), 1)), overlap
