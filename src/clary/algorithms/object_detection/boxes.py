"""Boxes of objects: how much they overlap, which of many say the same, and how good found ones are.

torchvision's own thinning needs its compiled operators, which there are not for each build of torch.
"""

import numpy as np
from numpy.typing import NDArray

Found = NDArray[np.float64]
"""`(objects, 6)`: class, score, left, top, right, bottom, as shares of the picture's size; the surest first."""


def thin_out(places: NDArray[np.float32], threshold: float) -> list[int]:
    """Which are kept of boxes, the surest first: those that no surer one that is kept overlaps by more."""
    kept: list[int] = []
    left = np.arange(len(places))
    while len(left):
        first, left = left[0], left[1:]
        kept.append(int(first))
        left = left[overlaps(places[first], places[left]) <= threshold]
    return kept


def overlaps(one: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    """Intersection over union."""
    sides = np.minimum(one[2:], others[:, 2:]) - np.maximum(one[:2], others[:, :2])
    common = sides.clip(min=0).prod(axis=1)
    areas = (others[:, 2:] - others[:, :2]).prod(axis=1) + (one[2:] - one[:2]).prod()
    shares: NDArray[np.float32] = common / np.maximum(areas - common, 1e-12)
    return shares


def mean_average_precision(truths: list[NDArray[np.float32]], found: list[Found], threshold: float) -> float:
    """Over the classes that there are; `truths` are class, left, top, right, bottom, picture by picture."""
    kinds = np.unique(np.concatenate([truth[:, 0] for truth in truths]))
    return float(np.mean([_precision(kind, truths, found, threshold) for kind in kinds])) if len(kinds) else 0.0


def _precision(kind: float, truths: list[NDArray[np.float32]], found: list[Found], threshold: float) -> float:
    """Area below the curve of precision over recall, made to fall only (PASCAL VOC 2010)."""
    scores, right = [], []
    for truth, objects in zip(truths, found, strict=True):
        places = truth[truth[:, 0] == kind, 1:]
        taken = np.zeros(len(places), bool)
        for row in objects[objects[:, 0] == kind]:
            shares = overlaps(row[2:], places)
            best = int(shares.argmax()) if len(shares) else -1
            hit = best >= 0 and shares[best] >= threshold and not taken[best]
            if hit:
                taken[best] = True
            scores.append(row[1])
            right.append(hit)
    order = np.argsort(-np.array(scores), kind="stable")
    hits = np.array(right, float)[order].cumsum()
    total = sum(int((truth[:, 0] == kind).sum()) for truth in truths)
    recall = np.concatenate([[0], hits / total])
    precision = np.maximum.accumulate((hits / np.arange(1, len(hits) + 1))[::-1])[::-1]
    return float((np.diff(recall) * precision).sum())
