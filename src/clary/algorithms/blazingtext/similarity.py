"""How well word vectors agree with people on 353 pairs of English words (Finkelstein et al. 2002, WordSimilarity-353).

The pairs are those that come with gensim, which is not imported for it.
"""

import os
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

TITLE = "EN-WS-353-ALL.txt"
Vector = NDArray[np.float32]


def evaluate(vector_of: Callable[[str], Vector | None]) -> dict[str, Any]:
    """What `eval.json` holds; `vector_of` gives None for a word that has none."""
    pairs = _pairs()
    compared: list[tuple[float, float]] = []
    for first, second, judged in pairs:
        one, other = vector_of(first), vector_of(second)
        if one is not None and other is not None:
            norms = float(np.linalg.norm(one) * np.linalg.norm(other)) or 1.0
            compared.append((judged, float(one @ other) / norms))
    rho = _spearman(np.array(compared)) if len(compared) > 1 else 0.0
    result = {"not_found": len(pairs) - len(compared), "spearmans_rho": rho, "total_pairs": len(pairs)}
    return {TITLE: result, "mean_rho": rho}


def _pairs() -> list[tuple[str, str, float]]:
    found = find_spec("gensim")
    assert found is not None
    assert found.submodule_search_locations
    path = os.path.join(found.submodule_search_locations[0], "test", "test_data", "wordsim353.tsv")
    with open(path, encoding="utf-8") as file:
        rows = [line.split("\t") for line in file if line.strip() and not line.startswith("#")]
    return [(first.lower(), second.lower(), float(score)) for first, second, score in rows]


def _spearman(pairs: NDArray[np.float64]) -> float:
    """Pearson's correlation of the ranks, of equal values the mean rank."""
    first, second = _ranks(pairs[:, 0]), _ranks(pairs[:, 1])
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: NDArray[np.float64] = (last - (counts - 1) / 2)[inverse]
    return ranks
