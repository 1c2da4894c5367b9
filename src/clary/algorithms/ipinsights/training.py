"""A job of IP Insights: to tell events that happened from such as were made up.

Events ─▶ batches [+ random and shuffled addresses] ─▶ epochs ─▶ model, the area under the curve of `validation`
Several instances each learn from their own events, and make one network of theirs after each epoch.
"""

import logging
import time

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import binary_cross_entropy_with_logits

from clary.algorithms.ipinsights.events import Events, encode
from clary.algorithms.ipinsights.merging import Merger
from clary.algorithms.ipinsights.model import Model, Sizes, tensors
from clary.algorithms.kit.job import Job

SEED = 1
ADDRESSES = 1 << 32
NOTHING = encode([], 1)


def train(job: Job, events: dict[str, Events]) -> None:
    given, team = job.parameters, job.team
    torch.manual_seed(SEED)
    model = Model.build(Sizes(given["num_entity_vectors"], given["vector_dim"], given["num_ip_encoder_layers"]))
    entities = list(model.network.entities.parameters())
    others = [each for name, each in model.network.named_parameters() if not name.startswith("entities.")]
    rate = given["learning_rate"]
    optimizers = [torch.optim.SparseAdam(entities, lr=rate), torch.optim.Adam(others, lr=rate, fused=True)]
    random = np.random.default_rng([SEED, list(team.hosts).index(team.host)])
    merger = Merger(team, model.network, events["train"])
    for epoch in job.epochs():
        if len(events["train"].entities):
            _pass(job, model, optimizers, events["train"], random, epoch)
        merger.merge()
        if len(events.get("validation", NOTHING).entities):
            job.score("validation", "discriminator_auc", _auc(model, events["validation"]), "score", epoch=epoch)
    if team.leads:
        model.save(job.model_directory)


def _pass(
    job: Job,
    model: Model,
    optimizers: list[torch.optim.Optimizer],
    events: Events,
    random: np.random.Generator,
    epoch: int,
) -> None:
    """One epoch, and how well it went."""
    size, interval = job.parameters["mini_batch_size"], job.parameters["batch_metrics_publish_interval"]
    order = random.permutation(len(events.entities))
    model.network.train()
    told, begun = [], time.monotonic()
    for number, at in enumerate(range(0, len(order), size)):
        loss, seen = _loss(job, model, events.part(order[at : at + size]), random)
        for optimizer in optimizers:
            optimizer.zero_grad()
        loss.backward()
        for optimizer in optimizers:
            optimizer.step()
        told.append(seen)  # Where it is: a GPU does not wait for it after each batch.
        if number % interval == 0:
            speed = (number + 1) * size / (time.monotonic() - begun)
            logging.info("Epoch[%d] Batch [%d]\tSpeed: %.2f samples/sec", epoch, number, speed)
            _tell(job, seen, epoch, number)
        if job.stopped:
            break
    job.tell_speed(len(order), begun)
    _tell(job, torch.stack(told).mean(0), epoch)


def _tell(job: Job, seen: torch.Tensor, epoch: int, batch: int | None = None) -> None:
    entropy, accuracy = seen.tolist()
    job.score("train", "binary_classification_accuracy", accuracy, "score", epoch=epoch, batch=batch)
    job.score("train", "binary_classification_cross_entropy", entropy, epoch=epoch, batch=batch)


def _loss(job: Job, model: Model, events: Events, random: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Cross entropy of what happened and of what did not, and the weights of the vectors that were used. With it the
    cross entropy alone, and the share of events that were told right."""
    given, network = job.parameters, model.network
    made_up = [
        *(random.integers(0, ADDRESSES, len(events.addresses)) for _ in range(given["random_negative_sampling_rate"])),
        *(random.permutation(events.addresses) for _ in range(given["shuffled_negative_sampling_rate"])),
    ]
    entities, addresses = tensors(Events(events.entities, np.stack([events.addresses, *made_up])))
    one, other = network.entities(entities), network.address(addresses.flatten()).view(*addresses.shape, -1)
    products = (one * other).sum(2)
    labels = torch.zeros_like(products)
    labels[0] = 1
    decay = given["weight_decay"] / 2 * (one.square().sum(1).mean() + other.square().sum(2).mean())
    entropy = binary_cross_entropy_with_logits(products, labels)
    right = ((products > 0) == (labels == 1)).float().mean()
    return entropy + decay, torch.stack([entropy.detach(), right])


def _auc(model: Model, events: Events) -> float:
    """How often an event that happened scores above the same entity at a random address."""
    random = np.random.default_rng(SEED)
    made_up = Events(events.entities, random.integers(0, ADDRESSES, len(events.entities)))
    return area(model.score(events).products, model.score(made_up).products)


def area(positive: NDArray[np.float32], negative: NDArray[np.float32]) -> float:
    """Under the receiver operating characteristic; equal scores count half."""
    ordered = np.sort(negative)
    below = np.searchsorted(ordered, positive, "left") + np.searchsorted(ordered, positive, "right")
    return float(below.sum() / 2 / (len(positive) * len(negative)))
