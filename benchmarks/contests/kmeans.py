"""k-means beside scikit-learn's."""

import numpy as np
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs

from benchmarks.contests import RowsJob, contest
from clary.algorithms.kit.batches import Batch

rows = make_blobs(100_000, 50, centers=20, cluster_std=9.0, random_state=1)[0].astype(np.float32)

contest(
    "100,000 x 50, k = 20",
    "scikit-learn KMeans",
    RowsJob("kmeans", rows, k=20),
    lambda: KMeans(20, random_state=0).fit(rows),
    "sum of squared distances",
    lambda model: float((model.predict(Batch(rows), {})["distance_to_cluster"].astype(np.float64) ** 2).sum()),
    lambda fitted: float(fitted.inertia_),
)
