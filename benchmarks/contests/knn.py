"""k-NN beside Faiss alone with the same index: the labels are the rows' numbers, so that they tell who was found."""

import faiss
import numpy as np

from benchmarks.contests import RowsJob, contest
from clary.algorithms.kit.batches import Batch

ROWS, ASKED, K, FEATURES, LISTS = 20_000, 2000, 10, 32, 141
random = np.random.default_rng(0)
rows = random.normal(size=(200, FEATURES))[random.integers(0, 200, ROWS)] * 2 + random.normal(size=(ROWS, FEATURES))
rows = rows.astype(np.float32)
numbers = np.arange(ROWS, dtype=np.float32)
flat = faiss.IndexFlatL2(FEATURES)
flat.add(rows)
exact = flat.search(rows[:ASKED], K)[1]


def recall(found: np.ndarray) -> float:
    return sum(len(set(row) & set(best)) for row, best in zip(found.tolist(), exact.tolist(), strict=True)) / exact.size


def alone(factory: str) -> np.ndarray:
    index = faiss.index_factory(FEATURES, factory)
    index.train(rows)
    index.add(rows)
    if factory != "Flat":
        index.nprobe = LISTS // 16
    return np.asarray(index.search(rows[:ASKED], K)[1])


for name, factory in (("Flat", "Flat"), ("IVFFlat", f"IVF{LISTS},Flat")):
    job = RowsJob("knn", rows, numbers, k=K, sample_size=ROWS, predictor_type="regressor", index_type=f"faiss.{name}")
    contest(
        f"{ROWS:,} x {FEATURES}, {name}, {ASKED} asked",
        "Faiss alone",
        lambda job=job: job().predict(Batch(rows[:ASKED]), {"verbose": "true"})["labels"].astype(np.int64),
        lambda factory=factory: alone(factory),
        "recall",
        recall,
        recall,
    )
