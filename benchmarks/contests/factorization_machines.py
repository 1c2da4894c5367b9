"""Factorization machines on ratings whose truth has a low rank, beside a library's and beside a linear model.

myFM samples machines of the same score (Gibbs) and takes the mean of what they say, where ours descends in
mini-batches: a peer in what is learned, whose seconds are those of another way to learn it. Ridge is no peer in time:
it is what a user and an item tell each by itself. Errors are those of ratings kept apart, and include their noise; our
rates and decays are the best of ten tries, where myFM samples its own.
"""

import contextlib
import io

import myfm
import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import Ridge

from benchmarks.contests import Given, TrainingJob, contest
from clary.algorithms.kit.batches import Batch
from clary.toolkits.recordio_writing import write_sparse_records

RATINGS, USERS, ITEMS, RANK, NOISE = 50_000, 1000, 300, 4, 0.3
SAMPLES = 200
"""Of which the first half is dropped, as the chain is not yet where it will be."""
FEATURES = USERS + ITEMS
random = np.random.default_rng(0)
tastes, traits = random.normal(size=(USERS, RANK)) / RANK**0.5, random.normal(size=(ITEMS, RANK))
users, items = random.integers(0, USERS, RATINGS), random.integers(0, ITEMS, RATINGS)
alone = random.normal(size=USERS)[users] + random.normal(size=ITEMS)[items]
clean = (tastes[users] * traits[items]).sum(axis=1) + alone
ratings = (clean + NOISE * random.normal(size=RATINGS)).astype(np.float32)
places = np.column_stack([users, USERS + items]).ravel()
rows = csr_matrix((np.ones(2 * RATINGS, np.float32), places, np.arange(0, 2 * RATINGS + 1, 2)), (RATINGS, FEATURES))
kept = RATINGS * 9 // 10
known, given, asked, truth = rows[:kept], ratings[:kept], rows[kept:], ratings[kept:]
job = TrainingJob(
    "factorization-machines",
    {"train": Given({"ratings": write_sparse_records(known, given)})},
    feature_dim=FEATURES,
    num_factors=RANK,
    predictor_type="regressor",
    epochs=20,
    bias_lr=0.01,
    linear_lr=0.02,
    factors_lr=0.02,
    linear_wd=1e-5,
    factors_wd=1e-4,
    factors_init_sigma=0.1,
)


def ours() -> np.ndarray:
    return np.asarray(job.algorithm.load(job()).predict(Batch(asked), {})["score"])


def error(scores: np.ndarray) -> float:
    return float(np.square(scores - truth).mean() ** 0.5)


def sampled() -> np.ndarray:
    with contextlib.redirect_stderr(io.StringIO()):  # It draws how far it is.
        fitted = myfm.MyFMRegressor(RANK).fit(known, given, n_iter=SAMPLES, n_kept_samples=SAMPLES // 2)
    return fitted.predict(asked)


DATA = f"{kept:,} x {FEATURES}, rank {RANK}, noise {NOISE}"
contest(DATA, f"myFM, {SAMPLES} samples", ours, sampled, "RMS error", error, error)
contest(DATA, "scikit-learn Ridge", ours, lambda: Ridge().fit(known, given).predict(asked), "RMS error", error, error)
