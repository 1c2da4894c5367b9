"""A job of DeepAR: windows of the series are trained on, and the channel `test` is forecast.

Series ─▶ Windows ─▶ epochs of batches ─▶ the weights of the best epoch ─▶ model, scores of `test`
Several instances each take batches of their own series, and the mean of their gradients at each step.
"""

import copy
import logging
import time

import numpy as np
import torch

from clary.algorithms.errors import UserError
from clary.algorithms.forecasting_deepar.accuracy import scores
from clary.algorithms.forecasting_deepar.calendar import Frequency
from clary.algorithms.forecasting_deepar.dataset import read_channel
from clary.algorithms.forecasting_deepar.model import Model, Sizes
from clary.algorithms.forecasting_deepar.series import Series, Shape
from clary.algorithms.forecasting_deepar.windows import Plan, Windows
from clary.algorithms.kit.job import Job
from clary.algorithms.kit.weights import average_gradients

CLIP = 10.0
SEED = 1
TOLD = 5
"""Of so many batches one is told of, with the mean loss of the epoch so far."""
SCORED_AT_ONCE = 200


def train(job: Job, series: list[Series], shape: Shape) -> None:
    given = job.parameters
    frequency = Frequency.of(given["time_freq"])
    assert frequency is not None
    plan = Plan(frequency, given["context_length"], given["prediction_length"], given["likelihood"] != "beta")
    torch.manual_seed(SEED)
    sizes = Sizes(
        given["embedding_dimension"],
        given["num_cells"],
        given["num_layers"],
        given["dropout_rate"],
        given["likelihood"],
    )
    model = Model.build(plan, shape, sizes)
    loss, epoch = _learn(job, model, Windows(series, plan))
    if job.team.leads:
        logging.info("Final loss: %s (occurred at epoch %d)", loss, epoch)
        job.score("train", "final_loss", loss)
        model.save(job.model_directory)
    if "test" in job.channels and job.team.leads and not job.stopped:
        _score(job, model)


def _learn(job: Job, model: Model, windows: Windows) -> tuple[float, int]:
    """Train; the model has the weights of the epoch with the lowest loss, which is returned with its number."""
    given, network, team = job.parameters, model.network, job.team
    optimizer = torch.optim.Adam(network.parameters(), lr=given["learning_rate"])
    generator = np.random.default_rng([SEED, list(team.hosts).index(team.host)])
    patience = given["early_stopping_patience"]
    best, best_epoch, kept = np.inf, 0, copy.deepcopy(network.state_dict())
    for epoch in job.epochs():
        loss = _pass(job, model, windows, optimizer, generator, epoch)
        job.score("train", "loss", loss, epoch=epoch)
        if loss < best:
            best, best_epoch, kept = loss, epoch, copy.deepcopy(network.state_dict())
        elif patience and epoch - best_epoch >= patience:
            job.end_early(f"The loss did not improve for {patience} epochs")
            break
    network.load_state_dict(kept)
    return float(best), best_epoch


def _pass(
    job: Job,
    model: Model,
    windows: Windows,
    optimizer: torch.optim.Optimizer,
    generator: np.random.Generator,
    epoch: int,
) -> float:
    """One epoch; the mean loss of all instances."""
    network, team, size = model.network, job.team, job.parameters["mini_batch_size"]
    network.train()
    chosen, moments = windows.choose(generator)
    own, total, begun = -(-len(chosen) // size), 0.0, time.monotonic()
    steps = max(int(each["own"]) for each in team.gather({"own": np.array(own)}))
    for step in range(steps):
        # Who has fewer series than another instance goes through them again.
        at = step % own * size
        loss = model.losses(windows.take(chosen[at : at + size], moments[at : at + size]))
        if not torch.isfinite(loss):
            raise UserError(f"The loss is {loss.item()}: learning_rate may be too great.")
        optimizer.zero_grad()
        loss.backward()
        average_gradients(team, network)
        torch.nn.utils.clip_grad_norm_(network.parameters(), CLIP)
        optimizer.step()
        total += loss.item()
        if step % TOLD == 0:
            job.score("train", "loss", total / (step + 1), epoch=epoch, batch=step)
    job.tell_speed(len(chosen), begun)
    [[together]] = team.sum(np.array([total]))
    return float(together) / steps / team.size


def _score(job: Job, model: Model) -> None:
    given, steps = job.parameters, model.plan.prediction
    series = [model.shape.fit(each, where) for where, each in read_channel(job.channels["test"])]
    scored = [each for each in series if len(each.target) > steps]
    if not scored:
        raise UserError(f"No series of the channel test has more than prediction_length ({steps}) values.")
    samples = given["num_eval_samples"]
    logging.info("Evaluating model accuracy on testset using %d samples", samples)
    parts = [
        model.forecast(scored[at : at + SCORED_AT_ONCE], samples, back=steps)
        for at in range(0, len(scored), SCORED_AT_ONCE)
    ]
    found = scores(np.concatenate(parts), np.stack([each.target[-steps:] for each in scored]), given["test_quantiles"])
    for name, value in found.items():
        logging.info("#test_score (%s, %s): %s", job.team.host, name, value)
    for name in ("RMSE", "mean_wQuantileLoss"):
        if name in found:
            job.score("test", name, found[name])
