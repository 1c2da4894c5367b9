"""A job of NTM: epochs over the documents until the loss no longer changes.

Several instances learn each from its own documents and meet after every epoch, where the network becomes the mean of
theirs.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import nn, optim
from torch.nn.utils import clip_grad_value_

from clary.algorithms.kit.batches import Batch
from clary.algorithms.kit.device import device
from clary.algorithms.kit.job import TRAIN, Job
from clary.algorithms.kit.weights import average
from clary.algorithms.ntm.documents import Documents
from clary.algorithms.ntm.network import Network

OPTIMIZERS = {
    "sgd": optim.SGD,
    "adam": optim.Adam,
    "adagrad": optim.Adagrad,
    "rmsprop": optim.RMSprop,
}


class Training:
    def __init__(self, job: Job) -> None:
        self._job = job
        self._parameters = job.parameters
        self._documents = {name: Documents(job, name) for name in job.channels}
        self._device = torch.device(device())
        torch.manual_seed(0)
        self._random = np.random.default_rng(0)
        self.network = Network.of(job.parameters).to(self._device)
        self._optimizer = _optimizer(self.network, job.parameters)

    def run(self) -> None:
        """Leaves the network on the CPU, ready to be saved."""
        history: list[float] = []
        judged = "validation" if "validation" in self._job.channels else TRAIN
        for epoch in self._job.epochs():
            losses = {TRAIN: self._learn()}
            if judged != TRAIN:
                losses[judged] = self._judge(judged)
            for channel, (likelihood, divergence) in losses.items():
                self._job.score(channel, "kld_loss", divergence, epoch=epoch)
                self._job.score(channel, "recons_loss", likelihood, epoch=epoch)
                self._job.score(channel, "total_loss", likelihood + divergence, epoch=epoch)
            history.append(sum(losses[judged]))
            if self._is_still(history):
                self._job.end_early("The loss changes no more")
                break
        if "test" in self._job.channels:
            self._job.final_score("test", "total_loss", sum(self._judge("test")))
        self.network.to("cpu").eval()

    def _learn(self) -> tuple[float, float]:
        """One pass; the mean losses of a document on the way."""
        self.network.train()
        sums = np.zeros(3)
        for batch in self._documents[TRAIN].batches():
            taken = self._sampled(batch)
            if not len(taken):
                continue
            likelihood, divergence = self.network.losses(self._counts(taken))
            self._optimizer.zero_grad()
            ((likelihood + divergence).mean() * self._parameters["rescale_gradient"]).backward()
            if self._parameters["clip_gradient"]:
                clip_grad_value_(self.network.parameters(), self._parameters["clip_gradient"])
            self._optimizer.step()
            sums += likelihood.sum().item(), divergence.sum().item(), len(taken)
        average(self._job.team, self.network, sums[2])
        return self._mean(sums)

    def _judge(self, channel: str) -> tuple[float, float]:
        self.network.eval()
        sums = np.zeros(3)
        with torch.inference_mode():
            for batch in self._documents[channel].batches():
                likelihood, divergence = self.network.losses(self._counts(batch))
                sums += likelihood.sum().item(), divergence.sum().item(), len(batch)
        return self._mean(sums)

    def _sampled(self, batch: Batch) -> Batch:
        """The share of the documents that an epoch takes."""
        share = self._parameters["sub_sample"]
        if share >= 1:
            return batch
        taken = np.flatnonzero(self._random.random(len(batch)) < share)
        return Batch(batch.features[taken])

    def _counts(self, batch: Batch) -> torch.Tensor:
        return torch.from_numpy(batch.dense()).to(self._device)

    def _mean(self, sums: Any) -> tuple[float, float]:
        [(likelihood, divergence, documents)] = self._job.team.sum(sums)
        return likelihood / max(documents, 1), divergence / max(documents, 1)

    def _is_still(self, history: Sequence[float]) -> bool:
        """Whether the loss has changed by less than the tolerance within the last epochs."""
        recent = history[-self._parameters["num_patience_epochs"] - 1 :]
        if len(recent) <= self._parameters["num_patience_epochs"]:
            return False
        least: float = self._parameters["tolerance"] * abs(recent[-1])
        return max(recent) - min(recent) < least


def _optimizer(network: nn.Module, parameters: dict[str, Any]) -> Any:
    decay = parameters["weight_decay"]
    if parameters["optimizer"] == "adadelta":
        # It finds its own rate, as MXNet's does, which takes none; epsilon is MXNet's, too.
        return optim.Adadelta(network.parameters(), lr=1.0, rho=0.9, eps=1e-5, weight_decay=decay)
    return OPTIMIZERS[parameters["optimizer"]](network.parameters(), lr=parameters["learning_rate"], weight_decay=decay)
