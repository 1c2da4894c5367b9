"""PCA beside scikit-learn's, in both modes."""

import numpy as np
from sklearn.decomposition import PCA

from benchmarks.contests import RowsJob, contest
from clary.algorithms.kit.batches import Batch

random = np.random.default_rng(0)
few = (random.normal(size=(100_000, 10)) * np.arange(2, 12) @ random.normal(size=(10, 100))).astype(np.float32)
few += random.normal(size=few.shape).astype(np.float32)
many = (random.normal(size=(10_000, 10)) * np.arange(2, 12) @ random.normal(size=(10, 1000))).astype(np.float32)
many += random.normal(size=many.shape).astype(np.float32)

for rows, mode, solver in ((few, "regular", "covariance_eigh"), (many, "randomized", "randomized")):
    contest(
        f"{len(rows):,} x {rows.shape[1]}, 10 components",
        f"scikit-learn PCA ({solver})",
        RowsJob("pca", rows, num_components=10, mini_batch_size=5000, algorithm_mode=mode),
        lambda rows=rows, solver=solver: PCA(10, svd_solver=solver, random_state=0).fit(rows),
        "variance explained",
        lambda model, rows=rows: float(
            model.predict(Batch(rows), {})["projection"].astype(np.float64).var(axis=0).sum()
        ),
        lambda fitted, rows=rows: float(fitted.transform(rows).astype(np.float64).var(axis=0).sum()),
    )
