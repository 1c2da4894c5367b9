"""A job of Object Detection.

pictures and objects ─ one size, mirrored ─▶ mini-batches ─▶ SSD, epoch by epoch ─▶ mAP ─▶ the best epoch
"""

import copy
import logging
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from PIL import ImageOps
from torch import Tensor, nn, optim

from clary.algorithms.errors import UserError
from clary.algorithms.kit.job import TRAIN, Job
from clary.algorithms.object_detection.boxes import mean_average_precision
from clary.algorithms.object_detection.finding import find
from clary.algorithms.object_detection.network import build, freeze, losses, take_base
from clary.algorithms.object_detection.objects import Objects, read_objects
from clary.algorithms.vision.examples import Example
from clary.algorithms.vision.pictures import decode, pixels
from clary.algorithms.vision.weights import MODEL, earlier, save

VALIDATION = "validation"


class Training:
    def __init__(self, job: Job) -> None:
        if job.team.size > 1:
            raise UserError("Object Detection trains on one instance here: set InstanceCount to 1.")
        self._job = job
        self._given = job.parameters
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._random = np.random.default_rng(0)
        torch.manual_seed(0)
        self._data = {name: read_objects(job, name, self._given["num_classes"]) for name in (TRAIN, VALIDATION)}
        self._network = self._begin().to(self._device)
        self._optimizer = self._optimizer_of(self._network)

    def run(self) -> None:
        """Leaves the network of the best epoch in the model's directory."""
        kept, best, since = copy.deepcopy(self._network.state_dict()), 0.0, 0
        for epoch in self._job.epochs():
            falls = sum(epoch >= step for step in self._given["lr_scheduler_step"])
            for group in self._optimizer.param_groups:
                group["lr"] = self._given["learning_rate"] * self._given["lr_scheduler_factor"] ** falls
            entropy, distance = self._learn()
            self._say(epoch, "train cross_entropy <loss>", entropy)
            self._say(epoch, "train smooth_l1 <loss>", distance)
            precision = self._judge()
            self._say(epoch, "validation mAP <score>", precision)
            since = 0 if precision > best * (1 + self._given["early_stopping_tolerance"]) else since + 1
            if precision > best or epoch == 0:
                kept, best = copy.deepcopy(self._network.state_dict()), precision
            if self._is_enough(epoch, since):
                logging.info("Early stop after epoch %d.", epoch + 1)
                break
        self._network.load_state_dict(kept)
        more = {name: self._given[name] for name in ("image_shape", "nms_threshold")}
        save(self._network.cpu(), self._facts | more, self._job.model_directory)

    @property
    def _facts(self) -> dict[str, Any]:
        return {name: self._given[name] for name in ("base_network", "num_classes")}

    def _begin(self) -> nn.Module:
        base = self._given["base_network"]
        network = build(base, self._given["num_classes"], self._given["image_shape"])
        if MODEL in self._job.channels:
            network.load_state_dict(earlier(self._facts))
        elif self._given["use_pretrained_model"]:
            take_base(network, base)
        freeze(network, self._given["freeze_layer_pattern"])
        return network

    def _optimizer_of(self, network: nn.Module) -> optim.Optimizer:
        given, rate = self._given, self._given["learning_rate"]
        weights = [each for each in network.parameters() if each.requires_grad]
        match given["optimizer"]:
            case "adam":
                return optim.Adam(weights, rate, fused=True)
            case "adadelta":
                return optim.Adadelta(weights, rate)
            case "rmsprop":
                return optim.RMSprop(weights, rate, weight_decay=given["weight_decay"])
        return optim.SGD(weights, rate, momentum=given["momentum"], weight_decay=given["weight_decay"], fused=True)

    def _learn(self) -> tuple[float, float]:
        """One pass; answers with the mean losses of classes and places."""
        self._network.train()
        told = []
        data, size = self._data[TRAIN], self._given["mini_batch_size"]
        order = self._random.permutation(len(data))
        for start in range(0, len(order), size):
            chosen = [data[number] for number in order[start : start + size]]
            if len(chosen) == 1:
                chosen *= 2  # What is normalised by its batch needs two.
            views = [self._view(*each, mirror=self._random.random() < 0.5) for each in chosen]
            self._optimizer.zero_grad()
            pictures = torch.stack([picture for picture, _ in views]).to(self._device)
            entropy, distance = losses(self._network, pictures, [self._target(objects) for _, objects in views])
            (entropy + distance).backward()
            self._optimizer.step()
            told.append((float(entropy.detach()), float(distance.detach())))
            if self._job.stopped:
                break
        means = np.mean(told, axis=0)
        return float(means[0]), float(means[1])

    def _judge(self) -> float:
        self._network.eval()
        threshold = self._given["nms_threshold"]
        found = [objects for batch in self._wholes() for objects in find(self._network, batch, threshold)]
        truths = [objects for _, objects in self._data[VALIDATION]]
        return mean_average_precision(truths, found, self._given["overlap_threshold"])

    def _wholes(self) -> Iterator[Tensor]:
        data, size = self._data[VALIDATION], self._given["mini_batch_size"]
        for start in range(0, len(data), size):
            views = [self._view(*each, mirror=False)[0] for each in data[start : start + size]]
            yield torch.stack(views).to(self._device)

    def _view(self, example: Example, objects: Objects, *, mirror: bool) -> tuple[Tensor, Objects]:
        side = self._given["image_shape"]
        picture = decode(example.encoded(), 3, example.name).resize((side, side))
        if mirror:
            picture = ImageOps.mirror(picture)
            objects = objects.copy()
            objects[:, [1, 3]] = 1 - objects[:, [3, 1]]
        return torch.from_numpy(pixels(picture)), objects

    def _target(self, objects: Objects) -> dict[str, Tensor]:
        boxes = torch.from_numpy(objects[:, 1:] * self._given["image_shape"]).to(self._device)
        return {"boxes": boxes, "labels": torch.from_numpy(objects[:, 0].astype(np.int64) + 1).to(self._device)}

    def _is_enough(self, epoch: int, since: int) -> bool:
        given = self._given
        begun: bool = epoch + 1 >= given["early_stopping_min_epochs"] and since >= given["early_stopping_patience"]
        return bool(given["early_stopping"]) and begun

    def _say(self, epoch: int, what: str, value: float) -> None:
        """With the number in parentheses, as AWS's image has it."""
        logging.info("#quality_metric: host=%s, epoch=%d, %s=(%s)", self._job.team.host, epoch, what, value)
