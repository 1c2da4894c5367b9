"""What Semantic Segmentation learns: of which class each pixel is.

pair ─ cut out, mirror ─▶ mini-batch ─▶ network ─▶ entropy of two heads; mIOU on whole pictures

A mean of intersections over unions (mIOU) is over the classes that are in the truth or were found.
"""

import math
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from clary.algorithms.errors import UserError
from clary.algorithms.kit.job import TRAIN, Job
from clary.algorithms.semantic_segmentation.masks import IGNORED, LabelMap, Pair, read_map, read_pairs
from clary.algorithms.semantic_segmentation.network import build, take_backbone
from clary.algorithms.semantic_segmentation.views import at_size, cut, longer_side, numbers, padded
from clary.algorithms.vision.feeding import centred
from clary.algorithms.vision.pictures import decode, stacked
from clary.algorithms.vision.task import Sums, Task
from clary.algorithms.vision.training import VALIDATION
from clary.algorithms.vision.weights import MODEL, earlier

AUXILIARY = 0.5
"""Weight of the second head's loss (Zhao et al. 2017 have 0.4, Gluon CV 0.5)."""
View = tuple[Image.Image, Image.Image]
"""A picture and its mask."""


class Segmentation(Task):
    decayed = ("sgd", "nag")

    def __init__(self, job: Job) -> None:
        if job.team.size > 1:
            raise UserError("Semantic Segmentation trains on one instance: set InstanceCount to 1.")
        self._job = job
        self._given = job.parameters
        self._side = math.ceil(self._given["crop_size"] / 8) * 8
        maps = {name: read_map(job, name) for name in (TRAIN, VALIDATION)}
        self.items = {name: [(pair, maps[name]) for pair in read_pairs(job, name)] for name in maps}
        self._asked = {name: self._given[name] for name in ("algorithm", "backbone", "num_classes", "crop_size")}
        self.facts = self._asked | {"base_size": self._given["base_size"]}
        torch.manual_seed(0)
        self.network = self._begin()

    def view(self, item: tuple[Pair, LabelMap], random: np.random.Generator | None) -> View:
        picture, mask = self._opened(*item)
        if random is not None:
            return cut(picture, mask, self._given["base_size"], self._side, random)
        fitting = longer_side(picture.size, self._given["base_size"])
        return at_size(picture, fitting), mask.resize(fitting, Image.Resampling.NEAREST)

    def batch(self, views: Sequence[View]) -> tuple[Tensor, Tensor]:
        """Whole pictures are filled up to one size."""
        largest = max(picture.width for picture, _ in views), max(picture.height for picture, _ in views)
        filled = [view if view[0].size == largest else padded(*view, largest) for view in views]
        masks = np.stack([numbers(mask) for _, mask in filled])
        return torch.from_numpy(stacked([picture for picture, _ in filled])), torch.from_numpy(masks)

    def loss(self, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """With it the sum of itself, and how many steps that is of."""
        pictures, masks = batch
        scores = self.network(centred(pictures))
        loss = _entropy(scores["out"], masks) + AUXILIARY * _entropy(scores["aux"], masks)
        return loss, torch.stack([loss, torch.ones_like(loss)])

    def tell(self, epoch: int, sums: Sums) -> float:
        loss = float(sums[0] / sums[1])
        self._job.score(TRAIN, "loss", loss, epoch=epoch)
        return -loss

    def judge(self, epoch: int, batches: Iterator[tuple[Tensor, Tensor]]) -> float:
        classes = self._given["num_classes"]
        confusion = np.zeros((classes, classes), np.int64)
        for pictures, masks in batches:
            found = self.network(centred(pictures))["out"].argmax(dim=1)
            counts = masks != IGNORED
            pairs = masks[counts] * classes + found[counts]
            confusion += torch.bincount(pairs, minlength=classes**2).cpu().numpy().reshape(classes, classes)
        accuracy, overlap = judged(confusion)
        self._job.score(VALIDATION, "pixel_accuracy", accuracy, "score", epoch=epoch)
        self._job.score(VALIDATION, "mIOU", overlap, "score", epoch=epoch)
        return overlap

    def _begin(self) -> nn.Module:
        network = build(self._given["algorithm"], self._given["backbone"], self._given["num_classes"])
        if MODEL in self._job.channels:
            network.load_state_dict(earlier(self._asked))
        elif self._given["use_pretrained_model"]:
            take_backbone(network, self._given["backbone"])
        return network

    def _opened(self, pair: Pair, classes: LabelMap) -> View:
        picture = decode(pair.picture.encoded(), 3, pair.picture.name)
        mask = classes.classes(pair.mask, self._given["num_classes"])
        if picture.size != mask.size:
            raise UserError(
                f"{pair.mask.name} has {mask.width} x {mask.height} pixels, and its picture {pair.picture.name} has "
                f"{picture.width} x {picture.height}."
            )
        return picture, mask


def _entropy(scores: Tensor, masks: Tensor) -> Tensor:
    # The sum is divided by the pixels that count, of which there may be none.
    summed = cross_entropy(scores, masks, ignore_index=IGNORED, reduction="sum")
    return summed / (masks != IGNORED).sum().clamp(min=1)


def judged(confusion: NDArray[np.int64]) -> tuple[float, float]:
    """From how many pixels of each class (rows) were taken for each class."""
    right = np.diag(confusion)
    unions = confusion.sum(axis=0) + confusion.sum(axis=1) - right
    there = unions > 0
    overlap = float((right[there] / unions[there]).mean()) if there.any() else 0.0
    return float(right.sum() / max(confusion.sum(), 1)), overlap
