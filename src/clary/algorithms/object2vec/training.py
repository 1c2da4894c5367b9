"""A job of Object2Vec: epochs over the pairs and over made-up ones, until the loss no longer falls.

Corpus ─▶ pairs [+ negative samples] ─▶ batches ─▶ epochs ─▶ the weights of the best epoch ─▶ model, scores of `test`
"""

import copy
import time
from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import cross_entropy, mse_loss

from clary.algorithms.errors import UserError
from clary.algorithms.kit.device import device
from clary.algorithms.kit.job import Job
from clary.algorithms.object2vec.hyperparameters import encoder_settings
from clary.algorithms.object2vec.model import Model
from clary.algorithms.object2vec.pairs import Corpus, Pairs
from clary.algorithms.object2vec.pretrained import give_vectors

SEED = 1
CROSS_ENTROPY = "cross_entropy"
OPTIMIZERS = {
    "adadelta": torch.optim.Adadelta,
    "adagrad": torch.optim.Adagrad,
    "adam": torch.optim.Adam,
    "rmsprop": torch.optim.RMSprop,
    "sgd": torch.optim.SGD,
}


def train(job: Job, corpus: Corpus) -> None:
    given = job.parameters
    encoders = encoder_settings(given, "enc0"), encoder_settings(given, "enc1")
    _check_encoders(given, encoders)
    torch.manual_seed(SEED)
    model = Model.build(given)
    give_vectors(job, model.network, encoders)
    _learn(job, model, corpus)
    model.save(job.model_directory)
    if "test" in corpus.pairs and not job.stopped:
        _tell(job, "test", _scores(model, corpus.pairs["test"]), None)


def _check_encoders(given: dict[str, Any], encoders: tuple[dict[str, Any], dict[str, Any]]) -> None:
    widths = [
        each["token_embedding_dim"] if each["network"] == "pooled_embedding" else given["enc_dim"] for each in encoders
    ]
    if widths[0] != widths[1]:
        raise UserError(
            f"The encodings of enc0 and enc1 have {widths[0]} and {widths[1]} numbers, and can only be compared where "
            "they have as many: token_embedding_dim of pooled_embedding, enc_dim of the others."
        )
    tied = ("vocab_size", "token_embedding_dim")
    if given["tied_token_embedding_weight"] and any(encoders[0][name] != encoders[1][name] for name in tied):
        raise UserError("With tied_token_embedding_weight both encoders need one vocab_size and token_embedding_dim.")


def _learn(job: Job, model: Model, corpus: Corpus) -> None:
    """Train; the network has the weights of the epoch with the lowest loss, of `validation` where there is one."""
    given, network = job.parameters, model.network
    optimizers = _optimizers(given, network)
    random, best, waited = np.random.default_rng(SEED), np.inf, 0
    kept = copy.deepcopy(network.state_dict())
    for epoch in job.epochs():
        network.train()
        seen, count, begun = [], 0, time.monotonic()
        for left, right, labels in _batches(model, corpus.pairs["train"], random):
            found = network(left, right)
            loss = _loss(given, found, labels)
            for optimizer in optimizers:
                optimizer.zero_grad()
            loss.backward()
            for optimizer in optimizers:
                optimizer.step()
            seen.append(torch.stack([loss.detach() * len(labels), (found.argmax(1) == labels).sum()]))
            count += len(labels)
            if job.stopped:
                break
        # Asked for once: a GPU does not wait for it after each batch.
        lost, right_ones = (torch.stack(seen).sum(0) / count).tolist()
        name = _loss_name(given)
        told = {name: lost, "accuracy": right_ones} if name == CROSS_ENTROPY else {name: lost}
        _tell(job, "train", told, epoch)
        job.tell_speed(count, begun)
        if "validation" in corpus.pairs:
            scores = _scores(model, corpus.pairs["validation"])
            _tell(job, "validation", scores, epoch)
            lost = scores[name]
        improved = best - lost
        if lost < best:
            best, kept = lost, copy.deepcopy(network.state_dict())
        waited = 0 if improved >= given["early_stopping_tolerance"] else waited + 1
        if waited >= given["early_stopping_patience"]:
            job.end_early(f"The loss fell by less than the tolerance in {waited} epochs")
            break
    network.load_state_dict(kept)


def _batches(
    model: Model, pairs: Pairs, random: np.random.Generator
) -> Iterator[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
    """All pairs in a random order, and for each as many whose right side is anybody's, labelled 0."""
    given, count = model.given, len(pairs)
    rate, size = given["negative_sampling_rate"], given["mini_batch_size"]
    lefts = np.tile(np.arange(count), rate + 1)
    rights = np.concatenate([np.arange(count), random.integers(0, count, count * rate)])
    labels = np.concatenate([pairs.labels, np.zeros(count * rate, np.float32)])
    order = _order(random, pairs, lefts, given["bucket_width"])
    for at in random.permutation(range(0, len(order), size)):
        chosen = order[at : at + size]
        yield (
            model.batch(0, pairs.left, lefts[chosen]),
            model.batch(1, pairs.right, rights[chosen]),
            torch.from_numpy(labels[chosen]).to(device()),
        )


def _order(random: np.random.Generator, pairs: Pairs, lefts: NDArray[np.int64], bucket_width: int) -> NDArray[np.int64]:
    """At random; with buckets, objects of like length after one another."""
    order = random.permutation(len(lefts))
    if bucket_width:
        order = order[np.argsort(pairs.left.lengths[lefts[order]] // bucket_width, kind="stable")]
    return order


def _optimizers(given: dict[str, Any], network: torch.nn.Module) -> list[torch.optim.Optimizer]:
    """Adam has a form of its own for rows of embeddings."""
    kind, rate, decay = OPTIMIZERS[given["optimizer"]], given["learning_rate"], given["weight_decay"]
    parameters = {name: each for name, each in network.named_parameters() if each.requires_grad}
    if given["token_embedding_storage_type"] != "row_sparse" or given["optimizer"] != "adam":
        return [kind(parameters.values(), lr=rate, weight_decay=decay)]
    rows = [each for name, each in parameters.items() if ".embedding." in name]
    others = [each for name, each in parameters.items() if ".embedding." not in name]
    return [kind(others, lr=rate), *([torch.optim.SparseAdam(rows, lr=rate)] if rows else [])]


def _loss_name(given: dict[str, Any]) -> str:
    return CROSS_ENTROPY if given["output_layer"] == "softmax" else "mean_squared_error"


def _loss(given: dict[str, Any], found: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    if given["output_layer"] == "softmax":
        return cross_entropy(found, labels.long())
    return mse_loss(found[:, 0], labels)


def _scores(model: Model, pairs: Pairs) -> dict[str, float]:
    found, labels = model.scores(pairs.left, pairs.right), pairs.labels
    if model.given["output_layer"] != "softmax":
        return {"mean_squared_error": float(np.mean((found[:, 0] - labels) ** 2))}
    chances = found[np.arange(len(labels)), labels.astype(int)]
    return {
        CROSS_ENTROPY: float(-np.log(np.maximum(chances, 1e-12)).mean()),
        "accuracy": float((found.argmax(1) == labels).mean()),
    }


def _tell(job: Job, channel: str, scores: dict[str, float], epoch: int | None) -> None:
    """With the number of an epoch, or of the finished model."""
    for name, value in scores.items():
        kind: Literal["score", "loss"] = "score" if name == "accuracy" else "loss"
        if epoch is None:
            job.final_score(channel, name, value, kind)
        else:
            job.score(channel, name, value, kind, epoch=epoch)
