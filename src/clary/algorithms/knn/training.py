"""A job of k-NN: rows are reduced and sampled as they go by, and the sample of all instances is indexed by the one that
leads."""

import math

import numpy as np
from numpy.typing import NDArray

from clary.algorithms.errors import UserError
from clary.algorithms.kit.job import TRAIN, Job, no_data
from clary.algorithms.kit.labels import Classes
from clary.algorithms.kit.parameters import AUTO
from clary.algorithms.kit.sampling import Sample
from clary.algorithms.knn.hyperparameters import CLASSIFIER, IVF_PQ, PARTS
from clary.algorithms.knn.index import Kind, build
from clary.algorithms.knn.model import Neighbours
from clary.algorithms.knn.reduction import Reduction

TEST = "test"


def train(job: Job) -> None:
    given = job.parameters
    parts = _parts(job) if given["index_type"] == IVF_PQ else 1
    target = given["dimension_reduction_target"] if given["dimension_reduction_type"] else given["feature_dim"]
    width = -(-target // parts) * parts  # What product quantization asks for: its parts are of one width.
    reduction = Reduction(given["dimension_reduction_type"], given["feature_dim"], width)
    sample = Sample(given["sample_size"], np.random.default_rng(job.team.hosts.index(job.team.host)))
    for batch in job.batches(labelled=True, classes=_classes(job), even=False) if job.takes_part() else ():
        assert batch.labels is not None
        sample.add(np.column_stack([batch.labels, reduction(batch.dense())]))
    rows = sample.together(job.team)
    if not len(rows):
        raise no_data(TRAIN)
    if given["k"] > len(rows):
        raise UserError(f"k is {given['k']}, and there are only {len(rows)} rows in the sample.")
    if not job.team.leads:
        return
    lists = given["faiss_index_ivf_nlists"]
    if lists == AUTO:
        lists = max(1, math.isqrt(len(rows)))
    kind = Kind(given["index_type"], given["index_metric"], lists, parts)
    settings = {
        "k": given["k"],
        "metric": kind.metric,
        "predictor_type": given["predictor_type"],
        "feature_dim": given["feature_dim"],
        "reduction": given["dimension_reduction_type"],
        "width": width,
    }
    model = Neighbours(build(rows[:, 1:], kind), rows[:, 0].copy(), settings)
    del rows  # The index has them.
    model.save(job.model_directory)
    if TEST in job.channels:
        _test(job, model)


def _classes(job: Job) -> Classes | None:
    return Classes(CLASSIFIER) if job.parameters["predictor_type"] == CLASSIFIER else None


def _parts(job: Job) -> int:
    wanted = job.parameters["faiss_index_pq_m"]
    target = job.parameters["dimension_reduction_target"] or job.parameters["feature_dim"]
    # Of `auto` the most that leave each part two features.
    parts: int = max([part for part in PARTS if 2 * part <= target] or [1]) if wanted == AUTO else wanted
    return parts


def _test(job: Job, model: Neighbours) -> None:
    pairs: list[NDArray[np.float32]] = []
    for batch in job.batches(TEST, labelled=True, classes=_classes(job)):
        assert batch.labels is not None
        pairs.append(np.column_stack([batch.labels, model.predict(batch, {})["predicted_label"]]))
    truth, told = np.concatenate(pairs).T
    if job.parameters["predictor_type"] == CLASSIFIER:
        job.final_score(TEST, "accuracy", float((truth == told).mean()), "score")
    else:
        job.final_score(TEST, "mse", float(((truth.astype(np.float64) - told) ** 2).mean()))
