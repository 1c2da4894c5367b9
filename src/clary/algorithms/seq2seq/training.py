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
from torch.nn.functional import cross_entropy

from clary.algorithms.kit.device import device
from clary.algorithms.kit.job import Job
from clary.algorithms.seq2seq.bleu import bleu
from clary.algorithms.seq2seq.model import Model, padded
from clary.algorithms.seq2seq.network import Network, Sizes
from clary.algorithms.seq2seq.sentences import BEGIN, END, PAD, Corpus, Pair

SEED = 1
Batch = tuple[torch.Tensor, torch.Tensor]


def train(job: Job, corpus: Corpus) -> None:
    given = job.parameters
    torch.manual_seed(SEED)
    network = Network(_sizes(given, corpus)).to(device())
    network.initialise(given["weight_init_type"], given["weight_init_scale"], given["xavier_factor_type"])
    longest, longest_source = given["max_seq_len_target"], given["max_seq_len_source"]
    model = Model(network, corpus.source, corpus.target, longest, given["beam_size"], longest_source)
    Training(job, model, corpus).run()
    model.save(job.model_directory)


class Training:
    def __init__(self, job: Job, model: Model, corpus: Corpus) -> None:
        self._job, self._given, self._model, self._corpus = job, job.parameters, model, corpus
        self._optimizer = _optimizer(job.parameters, model.network)
        self._random = np.random.default_rng(SEED)
        self._best, self._kept = -math.inf, copy.deepcopy(model.network.state_dict())
        self._checkpoints = self._waited = self._plateau = 0

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
        network = self._model.network
        network.train()
        self._optimizer.zero_grad()
        losses, _, _ = _compare(network, batch)
        losses.mean().backward()
        if self._given["clip_gradient"] > 0:
            torch.nn.utils.clip_grad_value_(network.parameters(), self._given["clip_gradient"])
        self._optimizer.step()

    def _batches(self) -> Iterator[Batch]:
        """The training pairs in a random order; with buckets, those of like length together."""
        size, pairs = self._given["batch_size"], self._corpus.train
        order = self._random.permutation(len(pairs))
        if self._given["bucketing_enabled"]:
            width = self._given["bucket_width"]
            order = np.array(sorted(order, key=lambda at: max(map(len, pairs[at])) // width))
        groups = [order[at : at + size] for at in range(0, len(order), size)]
        for at in self._random.permutation(len(groups)):
            yield _tensors([pairs[number] for number in groups[at]], self._model.device)

    def _look(self, epoch: int, done: int) -> None:
        """Score the validation data, keep what is best, and slow down where nothing is."""
        given, scores = self._given, self._scores()
        self._checkpoints += 1
        logging.info("Checkpoint [%d] Epoch[%d] %d batches", self._checkpoints, epoch, done)
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
        total = hits = words = 0.0
        with torch.inference_mode():
            for at in range(0, len(pairs), size):
                losses, guesses, wanted = _compare(network, _tensors(pairs[at : at + size], self._model.device))
                total, words = total + float(losses.sum()), words + len(losses)
                hits += int((guesses == wanted).sum())
        scores = {"perplexity": math.exp(min(total / words, 700)), "accuracy": hits / words}
        if self._given["optimized_metric"] == "bleu" or self._given["bleu_sample_size"] != 0:
            scores["bleu"] = self._bleu()
        return scores

    def _bleu(self) -> float:
        pairs, count = self._corpus.validation, self._given["bleu_sample_size"]
        if 0 < count < len(pairs):
            chosen = np.random.default_rng(SEED).choice(len(pairs), count, replace=False)
            pairs = [pairs[at] for at in chosen]
        found = self._model.translate([source for source, _ in pairs])
        return bleu([each.words for each in found], [target.tolist() for _, target in pairs])


def _compare(network: Network, batch: Batch) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Of each word of the targets its loss, the likeliest word, and the word itself."""
    source, target = batch
    read, known, states = network.encode(source)
    logits, _, _ = network.decode(target[:, :-1], read, known, states)
    wanted = target[:, 1:]
    there = wanted != PAD
    return cross_entropy(logits[there], wanted[there], reduction="none"), logits[there].argmax(1), wanted[there]


def _tensors(pairs: list[Pair], where: torch.device) -> Batch:
    targets = [np.concatenate([[BEGIN], target, [END]]) for _, target in pairs]
    return padded([source for source, _ in pairs]).to(where), padded(targets).to(where)


def _sizes(given: dict[str, Any], corpus: Corpus) -> Sizes:
    return Sizes(
        source_words=len(corpus.source),
        target_words=len(corpus.target),
        source_embedding=given["num_embed_source"],
        target_embedding=given["num_embed_target"],
        source_dropout=given["embed_dropout_source"],
        target_dropout=given["embed_dropout_target"],
        hidden=given["rnn_num_hidden"],
        encoder_layers=given["num_layers_encoder"],
        decoder_layers=given["num_layers_decoder"],
        cell=given["rnn_cell_type"],
        first_residual=given["rnn_first_residual_layer"] if given["rnn_residual_connections"] else 0,
        begin_state=given["rnn_decoder_state_init"],
        attention=given["rnn_attention_type"],
        attention_hidden=given["rnn_attention_num_hidden"] or given["rnn_num_hidden"],
        hidden_dropout=given["rnn_decoder_hidden_dropout"],
    )


def _optimizer(given: dict[str, Any], network: Network) -> torch.optim.Optimizer:
    common = {"lr": given["learning_rate"], "weight_decay": given["weight_decay"]}
    if given["optimizer_type"] == "sgd":
        return torch.optim.SGD(network.parameters(), momentum=given["momentum"] or 0.0, **common)
    kind = {"adam": torch.optim.Adam, "rmsprop": torch.optim.RMSprop}[given["optimizer_type"]]
    return kind(network.parameters(), **common)
