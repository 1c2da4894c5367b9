"""A job of k-means: all instances sum their rows up, the one that leads reduces the sums to k centers.

mini-batches ─▶ Summary of k · extra_center_factor centers ─▶ Lloyd's algorithm, best of several trials ─▶ k centers
"""

import logging
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from clary.algorithms.errors import UserError
from clary.algorithms.kit.job import Job
from clary.algorithms.kit.parameters import AUTO
from clary.algorithms.kmeans.lloyd import Lloyd, assign
from clary.algorithms.kmeans.webscale import Summary

EXTRA = 10
"""Centers for each one that is asked for, where `auto` is: as AWS's algorithm says in its log."""
TRIALS = 10
TEST = "test"


def train(job: Job) -> NDArray[np.float32]:
    """The centers; only the instance that leads has the right ones."""
    random = np.random.default_rng(0)
    summary = _summarise(job, random)
    centers = _shrink(job, summary, random)
    found = (centers + summary.origin).astype(np.float32)
    if TEST in job.channels:
        _test(job, found)
    else:
        logging.info("Test data is not provided.")
    return found


def _summarise(job: Job, random: np.random.Generator) -> Summary:
    wanted = job.parameters["k"] * (EXTRA if (factor := job.parameters["extra_center_factor"]) == AUTO else factor)
    half_life = job.parameters["half_life_time_size"]
    summary: Summary | None = None
    for epoch in job.epochs():
        if summary and not half_life:
            summary.begin_pass()
        for rows in _gathered(job, wanted if summary is None else 1):
            if summary is None:
                summary = Summary.begin(rows, wanted, job.parameters["init_method"], random)
            summary.add(rows, half_life)
        logging.info("Pass %d over the data: %d centers", epoch + 1, wanted)
    assert summary
    return summary


def _gathered(job: Job, least: int) -> Iterator[NDArray[np.float32]]:
    """The batches as matrices, the first one of at least so many rows where there are as many."""
    held: list[NDArray[np.float32]] = []
    for batch in job.batches():
        held.append(batch.dense())
        if sum(map(len, held)) >= least:
            yield np.concatenate(held) if len(held) > 1 else held[0]
            held, least = [], 1
    if held:
        yield np.concatenate(held)


def _shrink(job: Job, summary: Summary, random: np.random.Generator) -> NDArray[np.float64]:
    k = job.parameters["k"]
    taken = summary.sizes > 0
    if summary.rows < k:
        raise UserError(f"k is {k}, and there are only {summary.rows:.0f} rows to make that many clusters of.")
    trials = job.parameters["local_lloyd_num_trials"]
    lloyd = Lloyd(
        k=k,
        init=job.parameters["local_lloyd_init_method"],
        trials=TRIALS if trials == AUTO else trials,
        max_iter=job.parameters["local_lloyd_max_iter"],
        tol=job.parameters["local_lloyd_tol"],
    )
    logging.info("shrinking %d centers into %d", taken.sum(), k)
    centers = lloyd.fit(summary.centers[taken], summary.sizes[taken], random)
    loss = max(summary.loss(assign(summary.centers, centers)[0], centers), 0.0)
    job.score("train", "msd", loss / summary.rows)
    if "ssd" in job.parameters["eval_metrics"]:
        job.score("train", "ssd", loss)
    return centers


def _test(job: Job, centers: NDArray[np.float32]) -> None:
    loss, rows = 0.0, 0
    for batch in job.batches(TEST):
        loss += float(assign(batch.dense().astype(np.float64), centers.astype(np.float64))[1].sum())
        rows += len(batch)
    for metric in job.parameters["eval_metrics"]:
        job.score(TEST, metric, loss if metric == "ssd" else loss / rows)
