"""What Object Detection learns: which objects are in pictures, and where.

picture and objects ─ varied, one size ─▶ mini-batch ─▶ SSD ─▶ losses of classes and places; mAP

Of several instances each learns from its part of the pictures, also where all have them all.
"""

import logging
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from clary.algorithms.kit.job import TRAIN, Job
from clary.algorithms.object_detection.boxes import judged, mean_average_precision
from clary.algorithms.object_detection.finding import find
from clary.algorithms.object_detection.network import build, freeze, losses, take_base
from clary.algorithms.object_detection.objects import Objects, read_objects
from clary.algorithms.object_detection.views import vary
from clary.algorithms.vision.examples import Example
from clary.algorithms.vision.feeding import centred
from clary.algorithms.vision.pictures import decode, stacked
from clary.algorithms.vision.task import Sums, Task
from clary.algorithms.vision.training import VALIDATION
from clary.algorithms.vision.weights import MODEL, earlier

View = tuple[Image.Image, Objects]
Targets = list[dict[str, Tensor]]


class Detection(Task):
    decayed = ("sgd", "rmsprop")

    def __init__(self, job: Job) -> None:
        self._job = job
        self._given = job.parameters
        self.items = {name: read_objects(job, name, self._given["num_classes"]) for name in (TRAIN, VALIDATION)}
        if not job.channels[TRAIN].sharded:
            self.items[TRAIN] = self.items[TRAIN][job.team.hosts.index(job.team.host) :: job.team.size]
        self._asked = {name: self._given[name] for name in ("base_network", "num_classes")}
        self.facts = self._asked | {name: self._given[name] for name in ("image_shape", "nms_threshold")}
        torch.manual_seed(0)
        self.network = self._begin()

    def view(self, item: tuple[Example, Objects], random: np.random.Generator | None) -> View:
        (example, objects), side = item, self._given["image_shape"]
        picture = decode(example.encoded(), 3, example.name)
        if random is not None:
            picture, objects = vary(picture, objects, random)
        return picture.resize((side, side)), objects

    def batch(self, views: Sequence[View]) -> tuple[Tensor, Targets]:
        pictures = torch.from_numpy(stacked([picture for picture, _ in views]))
        return pictures, [self._target(objects) for _, objects in views]

    def loss(self, batch: tuple[Tensor, Targets]) -> tuple[Tensor, Tensor]:
        """With it the sums of its two parts, and how many steps those are of."""
        pictures, targets = batch
        entropy, distance = losses(self.network, centred(pictures), targets)
        return entropy + distance, torch.stack([entropy, distance, torch.ones_like(entropy)])

    def tell(self, epoch: int, sums: Sums) -> float:
        entropy, distance, steps = sums.tolist()
        for name, loss in (("cross_entropy", entropy), ("smooth_l1", distance)):
            self._job.score(TRAIN, name, loss / steps, epoch=epoch, batch=int(steps) - 1)
        return -float((entropy + distance) / steps)

    def judge(self, epoch: int, batches: Iterator[tuple[Tensor, Targets]]) -> float:
        threshold = self._given["nms_threshold"]
        found = [objects for pictures, _ in batches for objects in find(self.network, centred(pictures), threshold)]
        truths = [objects for _, objects in self.items[VALIDATION]]
        told = {
            "judged": judged(truths, found, self._given["overlap_threshold"]),
            "kinds": np.concatenate([objects[:, 0] for objects in truths]),
        }
        parts = self._job.team.gather(told)
        if not self._job.channels[VALIDATION].sharded:
            parts = parts[:1]  # They are the same pictures; of what each found one counts, lest they part by a hair.
        precision = mean_average_precision(*(np.concatenate([part[name] for part in parts]) for name in told))
        if self._job.team.leads:  # In parentheses, as AWS's image has it.
            host = self._job.team.host
            logging.info("#quality_metric: host=%s, epoch=%d, validation mAP <score>=(%s)", host, epoch, precision)
        return precision

    def _begin(self) -> nn.Module:
        base = self._given["base_network"]
        network = build(base, self._given["num_classes"], self._given["image_shape"])
        if MODEL in self._job.channels:
            network.load_state_dict(earlier(self._asked))
        elif self._given["use_pretrained_model"]:
            take_base(network, base)
        freeze(network, self._given["freeze_layer_pattern"])
        return network

    def _target(self, objects: Objects) -> dict[str, Tensor]:
        boxes = torch.from_numpy(objects[:, 1:] * self._given["image_shape"])
        return {"boxes": boxes, "labels": torch.from_numpy(objects[:, 0].astype(np.int64) + 1)}
