"""The one way in which networks on pictures learn. Each algorithm gives its mathematics: a `Task`.

    items ─ view, on threads ─▶ batches ─▶ loss, step ─ … a pass ─▶ instances meet ─▶ judge ─▶ the best epoch, saved

A pass sees all items in a random order of its own. Several instances each learn from their own, and meet after every
pass, where the network becomes the mean of theirs.
"""

import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from clary.algorithms.kit.device import device
from clary.algorithms.kit.job import TRAIN, Job
from clary.algorithms.kit.weights import average
from clary.algorithms.vision.descent import optimizer_of, rate_at
from clary.algorithms.vision.feeding import ahead, layout, moved
from clary.algorithms.vision.task import Sums, Task
from clary.algorithms.vision.weights import keep, save

VALIDATION = "validation"


class Training:
    def __init__(self, job: Job, task: Task) -> None:
        given = job.parameters
        self._job, self._task, self._given = job, task, given
        self._device = torch.device(device())
        self._network = task.network.to(self._device, memory_format=layout(self._device))
        weights = [each for each in self._network.parameters() if each.requires_grad]
        decay = given["weight_decay"] if given["optimizer"] in task.decayed else 0.0
        self._optimizer = optimizer_of(weights, given, decay)
        self._half = given.get("precision_dtype") == "float16" and self._device.type == "cuda"
        self._scaler = torch.amp.GradScaler(self._device.type, enabled=self._half)
        self._steps = 0

    def run(self) -> None:
        """Leaves the network of the best epoch in the model's directory."""
        kept, best, since = self._weights(), -math.inf, 0
        for epoch in self._job.epochs():
            quality = self._task.tell(epoch, self._learn(epoch))
            if VALIDATION in self._task.items:
                quality = self._judge(epoch)
            better = epoch == 0 or quality - best > self._given["early_stopping_tolerance"] * abs(best)
            since = 0 if better else since + 1
            if quality > best:
                kept, best = self._weights(), quality
            if self._job.team.leads and (epoch + 1) % (self._given.get("checkpoint_frequency") or math.inf) == 0:
                keep(self._weights(), epoch + 1, self._job.model_directory)
            if self._is_enough(epoch, since):
                self._job.end_early(f"Early stop after epoch {epoch + 1}")
                break
        if self._job.team.leads:
            save(kept, self._task.facts, self._job.model_directory)

    def _learn(self, epoch: int) -> Sums:
        self._network.train()
        begun = time.monotonic()
        total = torch.zeros((), dtype=torch.float64, device=self._device)
        for batch in self._varied(epoch):
            for group in self._optimizer.param_groups:
                group["lr"] = rate_at(self._given, epoch, self._steps)
            self._optimizer.zero_grad()
            with torch.autocast(self._device.type, torch.float16, enabled=self._half):
                loss, sums = self._task.loss(batch)
            self._scaler.scale(loss).backward()
            self._scaler.step(self._optimizer)
            self._scaler.update()
            self._steps += 1
            total = total + sums.detach()  # There it stays until the pass is over: to fetch it is to wait for it.
            if self._job.stopped:
                break
        average(self._job.team, self._network, len(self._task.items[TRAIN]))
        [sums_of_all] = self._job.team.sum(total.cpu().numpy())
        self._job.tell_speed(len(self._task.items[TRAIN]), begun)
        return sums_of_all

    def _judge(self, epoch: int) -> float:
        self._network.eval()
        with torch.inference_mode(), torch.autocast(self._device.type, torch.float16, enabled=self._half):
            return self._task.judge(epoch, self._whole())

    def _varied(self, epoch: int) -> Iterator[Any]:
        task, items, size = self._task, self._task.items[TRAIN], self._given["mini_batch_size"]
        seed = self._job.team.hosts.index(self._job.team.host), epoch
        order = np.random.default_rng(seed).permutation(len(items))

        def make(start: int) -> Any:
            random = np.random.default_rng((*seed, start))
            chosen = [items[number] for number in order[start : start + size]]
            if len(chosen) == 1:
                chosen *= 2  # What is normalised by its batch needs two.
            return task.batch([task.view(item, random) for item in chosen])

        return self._fed(make, range(0, len(order), size))

    def _whole(self) -> Iterator[Any]:
        task, items = self._task, self._task.items[VALIDATION]
        size = self._given.get("validation_mini_batch_size", self._given["mini_batch_size"])

        def make(start: int) -> Any:
            return task.batch([task.view(item, None) for item in items[start : start + size]])

        return self._fed(make, range(0, len(items), size))

    def _fed(self, make: Callable[[int], Any], starts: range) -> Iterator[Any]:
        return (moved(batch, self._device) for batch in ahead(make, starts))

    def _weights(self) -> dict[str, Tensor]:
        return {name: tensor.detach().to("cpu", copy=True) for name, tensor in self._network.state_dict().items()}

    def _is_enough(self, epoch: int, since: int) -> bool:
        given = self._given
        begun: bool = epoch + 1 >= given["early_stopping_min_epochs"] and since >= given["early_stopping_patience"]
        return bool(given["early_stopping"]) and begun
