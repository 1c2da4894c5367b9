"""A job of BlazingText, from its channels to what it leaves.

train ─▶ corpus ─┬─ supervised ──────────────▶ model.bin, accuracies
                 ├─ skipgram, cbow ──────────┬▶ vectors.bin, vectors.txt, eval.json
                 └─ batch_skipgram ──────────┘
"""

import json
import logging
import os
import sys
import time
from collections.abc import Generator
from functools import partial

import fasttext_pybind
import numpy as np
from numpy.typing import NDArray

from clary.algorithms.blazingtext.classifier import Patience
from clary.algorithms.blazingtext.classifier import settings_of as classifier_settings
from clary.algorithms.blazingtext.corpus import text_file
from clary.algorithms.blazingtext.engine import Progress, Run, accuracy
from clary.algorithms.blazingtext.word2vec import begin_batches, write_evaluation, write_vectors
from clary.algorithms.blazingtext.word2vec import settings_of as vector_settings
from clary.algorithms.errors import UserError
from clary.algorithms.kit.job import Job
from clary.algorithms.kit.team import Team
from clary.toolkits.environment import count_gpus

TOLD = 1.0
"""Seconds between two lines about progress."""


def train(job: Job) -> None:
    mode = job.parameters["mode"]
    if job.team.size > 1 and mode != "batch_skipgram":
        raise UserError(f"The mode {mode} trains on one instance, and there are {job.team.size}: use batch_skipgram.")
    if mode != "supervised" and "validation" in job.channels:
        raise UserError(f"The mode {mode} takes the channel train alone: validation is for the mode supervised.")
    if gpus := count_gpus():
        logging.warning("fastText trains on processors: the GPUs of this instance (%d) are left idle.", gpus)
    run = _train_classifier(job) if mode == "supervised" else _train_vectors(job)
    if run.running:
        # fastText cannot be told to stop, and must not meet the end of the interpreter.
        logging.shutdown()
        sys.stdout.flush()
        os._exit(0)


def _train_classifier(job: Job) -> Run:
    given, path = job.parameters, os.path.join(job.model_directory, "model.bin")
    files = {name: text_file(channel, supervised=True) for name, channel in job.channels.items()}
    if given["early_stopping"] and "validation" not in files:
        raise UserError("early_stopping is True, and needs the channel validation, which the job does not have.")
    run = Run(classifier_settings(files["train"], given, _threads()))
    patience = None
    if given["early_stopping"]:
        epochs = given["epochs"], given["min_epochs"], given["patience"]
        patience = Patience(run, files["validation"], path, *epochs, logging.info)
    for progress in _told(run.progress()):
        if job.stopped or (patience and patience.ended(progress)):
            break
    if patience and not run.running and patience.looked < given["epochs"]:
        patience.look(given["epochs"])
    model = run.model
    if patience is None or patience.best < 0:
        model.saveModel(path)
    else:
        model = fasttext_pybind.fasttext()
        model.loadModel(path)
    if not job.stopped:
        _tell_accuracy(model, files)
    return run


def _tell_accuracy(model: fasttext_pybind.fasttext, files: dict[str, str]) -> None:
    """Of what was saved: of several epochs that is the best."""
    for name, file in files.items():
        examples, share = accuracy(model, file)
        logging.info("#%s_accuracy: %.4f", name, share)
        logging.info("Number of %s examples: %d", name, examples)


def _train_vectors(job: Job) -> Run:
    given, team = job.parameters, job.team
    settings = vector_settings(text_file(job.channels["train"], supervised=False), given, _threads())
    if given["mode"] == "batch_skipgram":
        rank = list(team.hosts).index(team.host)
        run, progress = begin_batches(settings, given, rank, team.size, partial(_mean, team))
    else:
        run = Run(settings)
        progress = run.progress()
    for _ in _told(progress):
        # All instances leave off together: each waits for the others' matrices.
        if team.agrees(job.stopped):
            break
    progress.close()
    if team.leads:
        write_vectors(run.model, job.model_directory)
    if team.leads and given["evaluation"] and not job.stopped:
        logging.info("Evaluating word embeddings....")
        result = write_evaluation(run.model, job.model_directory)
        logging.info(json.dumps(result, indent=4))
        logging.info("#mean_rho: %s", result["mean_rho"])
    return run


def _mean(team: Team, matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    if team.size == 1:
        return matrix
    mean: NDArray[np.float32] = (team.sum(matrix)[0] / team.size).astype(np.float32)
    return mean


def _told(progress: Generator[Progress]) -> Generator[Progress]:
    begun = said = time.monotonic()
    for each in progress:
        if time.monotonic() - said >= TOLD:
            said = time.monotonic()
            alpha, share, words = each.learning_rate, 100 * each.share, each.million_words
            logging.info("##### Alpha: %.4f  Progress: %.2f%%  Million Words/sec: %.2f #####", alpha, share, words)
        yield each
    logging.info("Training finished.\nTotal training time in seconds: %.2f", time.monotonic() - begun)


def _threads() -> int:
    return len(os.sched_getaffinity(0))
