"""A job of Random Cut Forest: a sample of all instances' rows, of which the one that leads grows the trees."""

import numpy as np
from numpy.typing import NDArray

from clary.algorithms.kit.job import TRAIN, Job, no_data
from clary.algorithms.kit.labels import Classes
from clary.algorithms.kit.sampling import Sample
from clary.algorithms.randomcutforest.growing import Forest, grow
from clary.algorithms.randomcutforest.hyperparameters import ACCURACY, PRECISION_RECALL_FSCORE

TEST = "test"
ANOMALIES = Classes("test of anomalies", 2)
DEVIATIONS = 3.0
"""Standard deviations above the mean score from which on a row counts as an anomaly, as AWS's guide has it."""


def train(job: Job) -> Forest | None:
    """The forest, on the instance that leads."""
    trees, points = job.parameters["num_trees"], job.parameters["num_samples_per_tree"]
    sample = Sample(trees * points, np.random.default_rng(job.team.hosts.index(job.team.host)))
    for batch in job.batches(even=False) if job.takes_part() else ():
        sample.add(batch.dense())
    rows = sample.together(job.team)
    if not len(rows):
        raise no_data(TRAIN)
    if not job.team.leads:
        return None
    random = np.random.default_rng(0)
    forest = grow(_shared_out(rows, trees, points, random), random)
    if TEST in job.channels:
        _test(job, forest)
    return forest


def _shared_out(rows: NDArray[np.float32], trees: int, points: int, random: np.random.Generator) -> NDArray[np.float32]:
    """Points for each tree: others for each where there are enough, else each tree's own draw of all."""
    if len(rows) >= trees * points:
        return rows[random.permutation(len(rows))[: trees * points]].reshape(trees, points, -1)
    points = min(points, len(rows))
    return np.stack([rows[random.choice(len(rows), points, replace=False)] for _ in range(trees)])


def _test(job: Job, forest: Forest) -> None:
    from clary.algorithms.randomcutforest.scoring import Scorer  # It is compiled first, which takes seconds.

    score, scores, labels = Scorer(forest), [], []
    for batch in job.batches(TEST, classes=ANOMALIES):
        if batch.labels is None:
            return
        scores.append(score(batch.dense()))
        labels.append(batch.labels)
    found, truth = np.concatenate(scores), np.concatenate(labels)
    told = found > found.mean() + DEVIATIONS * found.std()
    metrics = job.parameters["eval_metrics"]
    if ACCURACY in metrics:
        job.final_score(TEST, ACCURACY, float((told == truth).mean()), "score")
    if PRECISION_RECALL_FSCORE in metrics:
        right = float((told & (truth == 1)).sum())
        precision, recall = right / max(told.sum(), 1), right / max((truth == 1).sum(), 1)
        job.final_score(TEST, "precision", precision, "score")
        job.final_score(TEST, "recall", recall, "score")
        job.final_score(TEST, "f1", 2 * precision * recall / max(precision + recall, 1e-300), "score")
