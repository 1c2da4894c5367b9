"""A job of Image Classification.

examples ─ decode, vary ─▶ mini-batches ─▶ ResNet, epoch by epoch ─▶ accuracy on `validation` ─▶ the best epoch

A pass reads pictures in a random order of its own. Several instances each learn from their own pictures and meet after
every epoch, where the network becomes the mean of theirs.
"""

import copy
import logging
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn, optim
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from clary.algorithms.errors import UserError
from clary.algorithms.image_classification.network import build, take_over
from clary.algorithms.kit.job import TRAIN, Job
from clary.algorithms.vision.examples import Example, read_examples
from clary.algorithms.vision.pictures import decode, fit, pixels, shorter_side, vary
from clary.algorithms.vision.weights import MODEL, earlier, pretrained, save

VALIDATION = "validation"


class Training:
    def __init__(self, job: Job) -> None:
        self._job = job
        self._given = job.parameters
        self._many = bool(self._given["multi_label"])
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._random = np.random.default_rng(0)
        torch.manual_seed(0)
        self._examples = {
            name: self._checked(read_examples(job, name, self._labels_of))
            for name in (TRAIN, VALIDATION)
            if name in job.channels
        }
        self._network = self._begin().to(self._device)
        self._optimizer = self._optimizer_of(self._network)

    def run(self) -> None:
        """Leaves the network of the best epoch in the model's directory."""
        kept, best, since = copy.deepcopy(self._network.state_dict()), -1.0, 0
        for epoch in self._job.epochs():
            self._schedule(epoch)
            accuracy = self._learn()
            self._say(f"Epoch[{epoch}] Train-accuracy={accuracy:f}")
            if VALIDATION in self._examples:
                accuracy = self._judge(epoch)
            better = accuracy > best + self._given["early_stopping_tolerance"]
            since = 0 if better else since + 1
            if accuracy > best:
                kept, best = copy.deepcopy(self._network.state_dict()), accuracy
            if self._is_enough(epoch, since):
                logging.info("Early stop after epoch %d.", epoch + 1)
                break
        self._network.load_state_dict(kept)
        if self._job.team.leads:
            facts = {
                "layers": self._given["num_layers"],
                "shape": self._given["image_shape"],
                "classes": self._given["num_classes"],
                "multi_label": self._many,
            }
            save(self._network.cpu(), facts, self._job.model_directory)

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

    def _labels_of(self, text: str) -> Any:
        """Of a manifest: a class, or with several labels a list of the classes that the picture is of."""
        import json

        said = json.loads(text)
        if not self._many:
            return np.array([said], np.float32)
        labels = np.zeros(self._given["num_classes"], np.float32)
        labels[np.array(said, int)] = 1
        return labels

    def _begin(self) -> nn.Module:
        layers, (channels, _, _), classes = (self._given[n] for n in ("num_layers", "image_shape", "num_classes"))
        network = build(layers, channels, classes)
        if MODEL in self._job.channels:
            asked = {"layers": layers, "shape": self._given["image_shape"], "classes": classes}
            network.load_state_dict(earlier(asked))
        elif self._given["use_pretrained_model"]:
            take_over(network, pretrained(f"resnet{layers}"))
        return network

    def _optimizer_of(self, network: nn.Module) -> Any:
        given = self._given
        common = {"lr": given["learning_rate"], "weight_decay": given["weight_decay"]}
        match given["optimizer"]:
            case "adam":
                betas = (given["beta_1"], given["beta_2"])
                return optim.Adam(network.parameters(), betas=betas, eps=given["eps"], **common)
            case "rmsprop":
                return optim.RMSprop(network.parameters(), alpha=given["gamma"], eps=given["eps"], **common)
            case kind:
                nesterov = kind == "nag" and given["momentum"] > 0
                return optim.SGD(network.parameters(), momentum=given["momentum"], nesterov=nesterov, **common)

    def _schedule(self, epoch: int) -> None:
        """The learning rate falls at the epochs that are listed."""
        falls = sum(epoch >= step for step in self._given["lr_scheduler_step"] or ())
        for group in self._optimizer.param_groups:
            group["lr"] = self._given["learning_rate"] * self._given["lr_scheduler_factor"] ** falls

    def _learn(self) -> float:
        """One pass; the accuracy on the way."""
        self._network.train()
        right = np.zeros(2)
        for pictures, labels in self._batches(self._examples[TRAIN], training=True):
            scores = self._network(pictures)
            self._optimizer.zero_grad()
            self._loss(scores, labels).backward()
            self._optimizer.step()
            right += self._right(scores.detach(), labels), labels.numel()
            if self._job.stopped:
                break
        self._meet()
        [(hits, count)] = self._job.team.sum(right)
        return float(hits / max(count, 1))

    def _judge(self, epoch: int) -> float:
        self._network.eval()
        right, top = np.zeros(2), np.zeros(1)
        with torch.inference_mode():
            for pictures, labels in self._batches(self._examples[VALIDATION], training=False):
                scores = self._network(pictures)
                right += self._right(scores, labels), labels.numel()
                if self._given["top_k"] and not self._many:
                    best = scores.topk(min(self._given["top_k"], scores.shape[1])).indices
                    top += float((best == labels[:, None]).any(dim=1).sum())
        right, top = self._job.team.sum(right, top)
        accuracy = float(right[0] / max(right[1], 1))
        self._say(f"Epoch[{epoch}] Validation-accuracy={accuracy:f}")
        if self._given["top_k"] and not self._many:
            self._say(f"Epoch[{epoch}] Validation-top_k_accuracy_{self._given['top_k']}={top[0] / right[1]:f}")
        return accuracy

    def _batches(self, examples: Sequence[Example], *, training: bool) -> Iterator[tuple[Tensor, Tensor]]:
        order = self._random.permutation(len(examples)) if training else np.arange(len(examples))
        size = self._given["mini_batch_size"]
        for start in range(0, len(order), size):
            chosen = [examples[number] for number in order[start : start + size]]
            if training and len(chosen) == 1 < len(order):
                continue  # What is normalised by its batch needs more than one.
            pictures = np.stack([self._pixels(example, training) for example in chosen])
            labels = np.stack([example.labels for example in chosen])
            truth = torch.from_numpy(labels) if self._many else torch.from_numpy(labels[:, 0].astype(np.int64))
            yield torch.from_numpy(pictures).to(self._device), truth.to(self._device)

    def _pixels(self, example: Example, training: bool) -> Any:
        channels, height, width = self._given["image_shape"]
        picture = decode(example.encoded(), channels, example.name)
        if self._given["resize"]:
            picture = shorter_side(picture, self._given["resize"])
        if training:
            return pixels(vary(picture, height, width, self._given["augmentation_type"], self._random))
        return pixels(fit(picture, height, width))

    def _loss(self, scores: Tensor, labels: Tensor) -> Tensor:
        if not self._many:
            return cross_entropy(scores, labels)
        weights = None
        if self._given["use_weighted_loss"]:
            share = labels.mean(dim=0).clamp(0.01, 0.99)
            weights = (1 - share) / share
        return binary_cross_entropy_with_logits(scores, labels, pos_weight=weights)

    def _right(self, scores: Tensor, labels: Tensor) -> float:
        found = (scores > 0) if self._many else scores.argmax(dim=1)
        return float((found == labels).sum())

    def _meet(self) -> None:
        if self._job.team.size == 1:
            return
        tensors = list(self._network.state_dict().values())
        share = float(len(self._examples[TRAIN]))
        *sums, total = self._job.team.sum(*(each.cpu().numpy() * share for each in tensors), np.array([share]))
        for tensor, summed in zip(tensors, sums, strict=True):
            tensor.copy_(torch.from_numpy(np.asarray(summed / total[0])))

    def _is_enough(self, epoch: int, since: int) -> bool:
        if self._given["early_stopping"].lower() != "true":
            return False
        begun: bool = epoch + 1 >= self._given["early_stopping_min_epochs"]
        return begun and since >= self._given["early_stopping_patience"]

    def _say(self, line: str) -> None:
        if self._job.team.leads:
            logging.info(line)
