"""A job of Sequence-to-Sequence: batches of like length, and at each checkpoint a look at the channel `validation`.

Corpus ─▶ batches ─▶ steps ─ every checkpoint_frequency_num_batches ─▶ scores ─▶ learning rate, best weights, an end
"""

import copy
import logging
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import cross_entropy

from clary.algorithms.kit.job import Job
from clary.algorithms.seq2seq.bleu import bleu
from clary.algorithms.seq2seq.model import Model
from clary.algorithms.seq2seq.network import Network
from clary.algorithms.seq2seq.sentences import PAD, Corpus, Pairs

SEED = 1
Batch = tuple[torch.Tensor, torch.Tensor]


def train(job: Job, corpus: Corpus) -> None:
    given = job.parameters
    torch.manual_seed(SEED)
    model = Model.build(given, corpus.source, corpus.target)
    model.network.initialise(given["weight_init_type"], given["weight_init_scale"], given["xavier_factor_type"])
    Training(job, model, corpus).run()
    model.save(job.model_directory)


class Training:
    def __init__(self, job: Job, model: Model, corpus: Corpus) -> None:
        self._job, self._given, self._model, self._corpus = job, job.parameters, model, corpus
        self._optimizer = _optimizer(job.parameters, model.network)
        self._random = np.random.default_rng(SEED)
        self._best, self._kept = -math.inf, copy.deepcopy(model.network.state_dict())
        self._checkpoints = self._waited = self._plateau = 0
        self._tally = Tally()

    def run(self) -> None:
        """Train; the network has the weights of the best checkpoint."""
        given, done, ended = self._given, 0, False
        limit, epochs = given["max_num_batches"], given["max_num_epochs"]
        epoch = 0
        while not ended and (epochs is None or epoch < epochs):
            for batch in self._batches():
                self._step(batch)
                done += 1
                if done % given["checkpoint_frequency_num_batches"] == 0:
                    self._look(epoch, done)
                ended = self._job.stopped or done == limit
                # Who says how many epochs there are gets them all.
                ended = ended or (epochs is None and self._waited >= given["checkpoint_threshold"])
                if ended:
                    break
            epoch += 1
            logging.info("Epoch[%d] %d batches done", epoch - 1, done)
        if done % given["checkpoint_frequency_num_batches"]:
            self._look(epoch - 1, done)
        self._model.network.load_state_dict(self._kept)

    def _step(self, batch: Batch) -> None:
        network, clip = self._model.network, self._given["clip_gradient"]
        network.train()
        self._optimizer.zero_grad()
        self._tally.take(network, batch).backward()
        if clip > 0:
            torch.nn.utils.clip_grad_value_(network.parameters(), clip)
        self._optimizer.step()

    def _batches(self) -> Iterator[Batch]:
        """The training pairs in a random order; with buckets, those of like length together."""
        size, pairs = self._given["batch_size"], self._corpus.train
        order = self._random.permutation(len(pairs))
        if self._given["bucketing_enabled"]:
            lengths = np.maximum(pairs.source.lengths, pairs.target.lengths)[order]
            order = order[np.argsort(lengths // self._given["bucket_width"], kind="stable")]
        groups = [order[at : at + size] for at in range(0, len(order), size)]
        for at in self._random.permutation(len(groups)):
            yield _batch(pairs, groups[at], self._model.device)

    def _look(self, epoch: int, done: int) -> None:
        """Score the validation data, keep what is best, and slow down where nothing is."""
        given, scores = self._given, self._scores()
        self._checkpoints += 1
        name = given["training_metric"]
        learned = self._tally.scores()[name]
        logging.info("Checkpoint [%d] Epoch[%d] %d batches Train-%s=%f", self._checkpoints, epoch, done, name, learned)
        self._tally = Tally()
        for name, value in scores.items():
            self._job.score("validation", name, value, "loss" if name == "perplexity" else "score")
        wanted = given["optimized_metric"]
        value = -scores[wanted] if wanted == "perplexity" else scores[wanted]
        if value > self._best:
            self._best, self._kept = value, copy.deepcopy(self._model.network.state_dict())
            self._waited = self._plateau = 0
        else:
            self._waited += 1
            self._plateau += 1
        self._slow_down()

    def _slow_down(self) -> None:
        given = self._given
        kind, half_life = given["lr_scheduler_type"], given["fixed_rate_lr_half_life"]
        rate = self._optimizer.param_groups[0]["lr"]
        if kind == "plateau_reduce":
            if self._plateau >= given["plateau_reduce_lr_threshold"]:
                rate, self._plateau = rate * given["plateau_reduce_lr_factor"], 0
        elif kind == "fixed_rate_inv_t":
            rate = given["learning_rate"] / (1 + self._checkpoints / half_life)
        else:
            rate = given["learning_rate"] / math.sqrt(1 + 3 * self._checkpoints / half_life)
        self._optimizer.param_groups[0]["lr"] = rate

    def _scores(self) -> dict[str, float]:
        network, pairs, size = self._model.network, self._corpus.validation, self._given["batch_size"]
        network.eval()
        tally = Tally()
        with torch.inference_mode():
            for at in range(0, len(pairs), size):
                tally.take(network, _batch(pairs, slice(at, at + size), self._model.device))
        scores = tally.scores()
        if self._given["optimized_metric"] == "bleu" or self._given["bleu_sample_size"] != 0:
            scores["bleu"] = self._bleu()
        return scores

    def _bleu(self) -> float:
        pairs, count = self._corpus.validation, self._given["bleu_sample_size"]
        chosen = np.arange(len(pairs)).tolist()
        if 0 < count < len(pairs):
            chosen = np.random.default_rng(SEED).choice(len(pairs), count, replace=False).tolist()
        found = self._model.translate([pairs.source.row(at) for at in chosen])
        return bleu([each.words for each in found], [pairs.target.row(at)[1:-1].tolist() for at in chosen])


class Tally:
    """How well words of targets were told. Its sums stay on the device, which waits for nobody until they are asked."""

    def __init__(self) -> None:
        self._sums: list[torch.Tensor] = []

    def take(self, network: Network, batch: Batch) -> torch.Tensor:
        """The mean loss of a word."""
        source, target = batch
        logits, _, _ = network.decode(target[:, :-1], *network.encode(source))
        wanted = target[:, 1:]
        loss = cross_entropy(logits.flatten(0, 1), wanted.flatten(), ignore_index=PAD, reduction="sum")
        there = wanted != PAD
        hits = (logits.detach().argmax(2) == wanted) & there
        words = there.sum()
        self._sums.append(torch.stack([loss.detach(), hits.sum(), words]))
        return loss / words

    def scores(self) -> dict[str, float]:
        loss, hits, words = torch.stack(self._sums).double().sum(0).tolist()
        return {"perplexity": math.exp(min(loss / words, 700)), "accuracy": hits / words}


def _batch(pairs: Pairs, chosen: NDArray[np.int64] | slice, where: torch.device) -> Batch:
    source, target = (torch.from_numpy(side.padded(chosen, PAD)) for side in (pairs.source, pairs.target))
    return source.to(where), target.to(where)


def _optimizer(given: dict[str, Any], network: Network) -> torch.optim.Optimizer:
    common = {"lr": given["learning_rate"], "weight_decay": given["weight_decay"]}
    if given["optimizer_type"] == "sgd":
        return torch.optim.SGD(network.parameters(), momentum=given["momentum"] or 0.0, **common)
    kind = {"adam": torch.optim.Adam, "rmsprop": torch.optim.RMSprop}[given["optimizer_type"]]
    return kind(network.parameters(), **common)
