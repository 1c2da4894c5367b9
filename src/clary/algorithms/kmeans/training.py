"""A job of k-means: each instance sums its rows up, the one that leads reduces what all came to to k centers.

mini-batches ─▶ Summary of k · extra_center_factor centers ─▶ Lloyd's algorithm, best of several trials ─▶ k centers
"""

import logging
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from clary.algorithms.errors import UserError
from clary.algorithms.kit.job import TRAIN, Job, no_data
from clary.algorithms.kit.parameters import AUTO
from clary.algorithms.kmeans.lloyd import Lloyd, assign
from clary.algorithms.kmeans.webscale import Summary

EXTRA = 10
"""Centers for each one that is asked for, where `auto` is: as AWS's algorithm says in its log."""
TRIALS = 10
TEST = "test"


def train(job: Job) -> NDArray[np.float32]:
    """The centers, the same on all instances."""
    random = np.random.default_rng(0)
    summary = _summarise(job, random)
    if summary.rows < job.parameters["k"]:
        raise UserError(f"k is {job.parameters['k']}, and there are only {summary.rows:.0f} rows to make clusters of.")
    centers = _shrink(job, summary, random) if job.team.leads else summary.centers
    centers = job.team.broadcast({"centers": centers})["centers"]
    found: NDArray[np.float32] = (centers + summary.origin).astype(np.float32)
    if TEST in job.channels:
        _test(job, found)
    else:
        logging.info("Test data is not provided.")
    return found


def _summarise(job: Job, random: np.random.Generator) -> Summary:
    """What the rows of all instances came to."""
    factor = job.parameters["extra_center_factor"]
    wanted = job.parameters["k"] * (EXTRA if factor == AUTO else factor)
    half_life = job.parameters["half_life_time_size"]
    summary: Summary | None = None
    for epoch in job.epochs():
        batches = _gathered(job, 1 if summary else wanted)
        if summary is None:
            first = next(batches, None)
            summary = Summary.begin(_pooled(job, first), wanted, job.parameters["init_method"], random)
            if first is not None:
                summary.add(first, half_life)
        elif not half_life:
            summary.begin_pass()
        for rows in batches:
            summary.add(rows, half_life)
        summary.put(*job.team.sum(summary.sums, summary.sizes, np.array(summary.squares), np.array(summary.rows)))
        logging.info("After pass %d there are %d centers with rows", epoch + 1, (summary.sizes > 0).sum())
    assert summary
    return summary


def _pooled(job: Job, first: NDArray[np.float32] | None) -> NDArray[np.float32]:
    """The first rows of all instances, so that all begin with the same centers."""
    given = job.team.gather({} if first is None else {"rows": first})
    rows = [each["rows"] for each in given if "rows" in each]
    if not rows:
        raise no_data(TRAIN)
    return np.concatenate(rows)


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
    taken = summary.sizes > 0
    trials = job.parameters["local_lloyd_num_trials"]
    lloyd = Lloyd(
        k=job.parameters["k"],
        init=job.parameters["local_lloyd_init_method"],
        trials=TRIALS if trials == AUTO else trials,
        max_iter=job.parameters["local_lloyd_max_iter"],
        tol=job.parameters["local_lloyd_tol"],
    )
    logging.info("shrinking %d centers into %d", taken.sum(), lloyd.k)
    centers = lloyd.fit(summary.centers[taken], summary.sizes[taken], random)
    loss = max(summary.loss(assign(summary.centers, centers)[0], centers), 0.0)
    job.score(TRAIN, "msd", loss / summary.rows)
    if "ssd" in job.parameters["eval_metrics"]:
        job.score(TRAIN, "ssd", loss)
    return centers


def _test(job: Job, centers: NDArray[np.float32]) -> None:
    if not job.takes_part(TEST):
        return
    loss = rows = 0.0
    for batch in job.batches(TEST):
        loss += float(assign(batch.dense().astype(np.float64), centers.astype(np.float64))[1].sum())
        rows += len(batch)
    if job.channels[TEST].sharded:
        loss, rows = (float(total) for total in job.team.sum(np.array(loss), np.array(rows)))
    if not rows:
        raise no_data(TEST)
    for metric in job.parameters["eval_metrics"]:
        job.final_score(TEST, metric, loss if metric == "ssd" else loss / rows)
