"""BLEU of a corpus (Papineni et al. 2002): n-grams up to four, and a penalty for what is too short."""

import math
from collections import Counter
from collections.abc import Sequence

LONGEST = 4


def bleu(candidates: Sequence[Sequence[int]], references: Sequence[Sequence[int]]) -> float:
    """0 to 1, of candidates with one reference each."""
    hits, tried = [0] * LONGEST, [0] * LONGEST
    for candidate, reference in zip(candidates, references, strict=True):
        for size in range(1, LONGEST + 1):
            found, wanted = _grams(candidate, size), _grams(reference, size)
            hits[size - 1] += (found & wanted).total()
            tried[size - 1] += found.total()
    # A corpus whose sentences are all shorter than four words is judged by the n-grams that it has.
    shares = [hit / count for hit, count in zip(hits, tried, strict=True) if count]
    if not shares or 0 in shares:
        return 0.0
    own, other = sum(map(len, candidates)), sum(map(len, references))
    penalty = min(1.0, math.exp(1 - other / own))
    return penalty * math.exp(sum(map(math.log, shares)) / len(shares))


def _grams(words: Sequence[int], size: int) -> Counter[tuple[int, ...]]:
    return Counter(tuple(words[at : at + size]) for at in range(len(words) - size + 1))
