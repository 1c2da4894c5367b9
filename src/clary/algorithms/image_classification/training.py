"""What Image Classification learns: of which classes pictures are.

example ─ decode, vary ─▶ mini-batch ─▶ ResNet ─▶ entropy; how often it was right
"""

import json
import logging
from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from clary.algorithms.errors import UserError
from clary.algorithms.image_classification.network import build, take_over
from clary.algorithms.kit.channels import Channel
from clary.algorithms.kit.job import TRAIN, Job
from clary.algorithms.vision.examples import Example, Labels, read_examples
from clary.algorithms.vision.feeding import centred
from clary.algorithms.vision.kept import Kept
from clary.algorithms.vision.pictures import decode, fit, shorter_side, stacked, vary
from clary.algorithms.vision.task import Sums, Task
from clary.algorithms.vision.training import VALIDATION
from clary.algorithms.vision.weights import MODEL, earlier, pretrained

MULTI_HOT, CLASS_ID = "multi-hot", "class-id"
Views = Sequence[tuple[Image.Image, Labels]]


class Classification(Task):
    decayed = ("sgd", "nag")

    def __init__(self, job: Job) -> None:
        self._job = job
        self._given = job.parameters
        self._many = bool(self._given["multi_label"])
        self.items = {
            name: self._checked(read_examples(job, name, partial(self._labels_of, form=_form(job.channels[name]))))
            for name in (TRAIN, VALIDATION)
            if name in job.channels
        }
        self.facts = {
            "layers": self._given["num_layers"],
            "shape": self._given["image_shape"],
            "classes": self._given["num_classes"],
            "multi_label": self._many,
        }
        self._kept = Kept()
        torch.manual_seed(0)
        self.network = self._begin()

    def view(self, item: Example, random: np.random.Generator | None) -> tuple[Image.Image, Labels]:
        _, height, width = self._given["image_shape"]
        picture = self._kept.picture(item, self._opened)
        if random is None:
            return fit(picture, height, width), item.labels
        return vary(picture, height, width, self._given["augmentation_type"], random), item.labels

    def batch(self, views: Views) -> tuple[Tensor, Tensor]:
        pictures, labels = stacked([picture for picture, _ in views]), np.stack([labels for _, labels in views])
        truth = labels if self._many else labels[:, 0].astype(np.int64)
        return torch.from_numpy(pictures), torch.from_numpy(truth)

    def loss(self, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """With it how many labels were right, and of how many."""
        pictures, labels = batch
        scores = self.network(centred(pictures))
        return self._entropy(scores, labels), self._right(scores.detach(), labels)

    def tell(self, epoch: int, sums: Sums) -> float:
        accuracy = float(sums[0] / sums[1])
        self._say(f"Epoch[{epoch}] Train-accuracy={accuracy:f}")
        return accuracy

    def judge(self, epoch: int, batches: Iterator[tuple[Tensor, Tensor]]) -> float:
        total: NDArray[np.float64] = np.zeros(3)
        for pictures, labels in batches:
            scores = self.network(centred(pictures))
            total += *self._right(scores, labels).tolist(), self._among_best(scores, labels)
        [(right, count, top)] = self._job.team.sum(total)
        self._say(f"Epoch[{epoch}] Validation-accuracy={right / count:f}")
        if self._given["top_k"] and not self._many:
            self._say(f"Epoch[{epoch}] Validation-top_k_accuracy_{self._given['top_k']}={top / count:f}")
        return float(right / count)

    def _checked(self, examples: list[Example]) -> list[Example]:
        classes = self._given["num_classes"]
        for example in examples:
            labels = example.labels
            wanted = classes if self._many else 1
            if len(labels) != wanted:
                raise UserError(f"{example.name} has {len(labels)} labels, and must have {wanted}.")
            highest = 1 if self._many else classes - 1
            if (labels != np.floor(labels)).any() or labels.min() < 0 or labels.max() > highest:
                bad = labels[(labels < 0) | (labels > highest) | (labels != np.floor(labels))][0]
                raise UserError(f"{example.name} has the label {bad:g}: labels are whole numbers from 0 to {highest}.")
        return examples

    def _labels_of(self, text: str, form: str) -> Labels:
        """Of a manifest: a class; with several labels 0 or 1 for each class, or a list of the picture's classes."""
        said = json.loads(text)
        if not self._many or form == MULTI_HOT:
            return np.array(said, np.float32).reshape(-1)
        classes = range(self._given["num_classes"])
        if strange := [each for each in said if each not in classes]:
            raise ValueError(f"it names the class {strange[0]}, and classes are numbers from 0 to {len(classes) - 1}")
        return np.isin(classes, said).astype(np.float32)

    def _begin(self) -> nn.Module:
        layers, (channels, _, _), classes = (self._given[n] for n in ("num_layers", "image_shape", "num_classes"))
        network = build(layers, channels, classes)
        if MODEL in self._job.channels:
            asked = {"layers": layers, "shape": self._given["image_shape"], "classes": classes}
            network.load_state_dict(earlier(asked))
        elif self._given["use_pretrained_model"]:
            take_over(network, pretrained(f"resnet{layers}"))
        return network

    def _opened(self, example: Example) -> Image.Image:
        picture = decode(example.encoded(), self._given["image_shape"][0], example.name)
        return shorter_side(picture, self._given["resize"]) if self._given["resize"] else picture

    def _entropy(self, scores: Tensor, labels: Tensor) -> Tensor:
        if not self._many:
            return cross_entropy(scores, labels)
        weights = None
        if self._given["use_weighted_loss"]:
            share = labels.mean(dim=0).clamp(0.01, 0.99)
            weights = (1 - share) / share
        return binary_cross_entropy_with_logits(scores, labels, pos_weight=weights)

    def _right(self, scores: Tensor, labels: Tensor) -> Tensor:
        found = (scores > 0) if self._many else scores.argmax(dim=1)
        right = (found == labels).sum()
        return torch.stack([right, torch.full_like(right, labels.numel())])

    def _among_best(self, scores: Tensor, labels: Tensor) -> float:
        """How often the class is one of the `top_k` with the highest scores."""
        if self._many or not self._given["top_k"]:
            return 0.0
        best = scores.topk(min(self._given["top_k"], scores.shape[1])).indices
        return float((best == labels[:, None]).any(dim=1).sum())

    def _say(self, line: str) -> None:
        if self._job.team.leads:
            logging.info(line)


def _form(channel: Channel) -> str:
    """In which a manifest has several labels."""
    form = channel.options.get("label-format", MULTI_HOT)
    if form not in (MULTI_HOT, CLASS_ID):
        raise UserError(f"The content type of {channel.name!r} has label-format={form}: {MULTI_HOT} or {CLASS_ID}.")
    return form
