"""A job of PCA: each instance takes its rows in, what all came to is put together, and gives the components."""

import logging

import numpy as np
from numpy.typing import NDArray

from clary.algorithms.errors import UserError
from clary.algorithms.kit.job import TRAIN, Job, no_data
from clary.algorithms.kit.team import Arrays
from clary.algorithms.pca.moments import Moments, far_from_zero
from clary.algorithms.pca.sketch import Sketch

EXTRA = 10
TEST = "test"


def train(job: Job) -> Arrays:
    """`mean` (one row), `v` and `s`, in 32 bits."""
    centered, components = job.parameters["subtract_mean"], job.parameters["num_components"]
    try:
        if job.parameters["algorithm_mode"] == "regular":
            found = _moments(job).solve(components, centered=centered)
        else:
            found = _sketch(job, components, centered).solve(components)
    except np.linalg.LinAlgError as error:
        raise UserError(f"The features are too large for 32 bits: there are no components ({error}).") from error
    mean = found["mean"].reshape(1, -1) if centered else np.zeros((1, len(found["v"])))
    model = {"mean": mean, "v": found["v"], "s": found["s"]}
    model = {name: array.astype(np.float32) for name, array in model.items()}
    if TEST in job.channels:
        _test(job, model)
    return model


def _moments(job: Job) -> Moments:
    batches = job.batches(even=False)
    first = next(batches, None)
    given = job.team.gather({} if first is None else {"origin": far_from_zero(first.dense())})
    origins = [each["origin"] for each in given if "origin" in each]
    if not origins:
        raise no_data(TRAIN)
    moments = Moments(origins[0])
    if first is not None:
        moments.add(first.dense())
    for batch in batches:
        moments.add(batch.dense())
    moments.together(job.team)
    return moments


def _sketch(job: Job, components: int, centered: bool) -> Sketch:
    extra = job.parameters["extra_components"]
    size = components + (max(EXTRA, components) if extra == -1 else extra)
    sketch, rows = Sketch(size, job.parameters["feature_dim"], centered=centered), 0
    for batch in job.batches():
        sketch.add(batch.dense())
        rows += len(batch)
    if not job.team.sum(np.array(rows))[0]:
        raise no_data(TRAIN)
    sketch.together(job.team)
    return sketch


def _test(job: Job, model: Arrays) -> None:
    """Tell how much of the test rows' squares the components leave out; AWS names no metric for it."""
    lost = whole = 0.0
    for batch in job.batches(TEST):
        shifted: NDArray[np.float32] = batch.dense() - model["mean"]
        projected = shifted @ model["v"]
        squares = float(np.einsum("ij,ij->", shifted, shifted, dtype=np.float64))
        whole += squares
        lost += squares - float(np.einsum("ij,ij->", projected, projected, dtype=np.float64))
    logging.info("Of the test rows on this host the components leave out %.4f %% of the variance.", 100 * lost / whole)
