"""Boxes of objects: how much they overlap, which of many say the same, and how good found ones are.

torchvision's own thinning needs its compiled operators, which there are not for each build of torch.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Found = NDArray[np.float64]
"""`(objects, 6)`: class, score, left, top, right, bottom, as shares of the picture's size; the surest first."""
Judged = NDArray[np.float64]
"""`(objects, 3)`: class, score, and whether it is right."""


def thin_out(places: NDArray[np.float32], threshold: float) -> list[int]:
    """Which are kept of boxes, the surest first: those that no surer one that is kept overlaps by more."""
    alike = overlaps(places[:, None], places[None]) > threshold
    left = np.ones(len(places), bool)
    for number in range(len(places)):
        if left[number]:
            left[number + 1 :] &= ~alike[number, number + 1 :]
    return np.flatnonzero(left).tolist()


def overlaps(some: NDArray[Any], others: NDArray[Any]) -> NDArray[Any]:
    """Intersection over union of boxes with those that stand at the same place, or are spread there."""
    sides = np.minimum(some[..., 2:], others[..., 2:]) - np.maximum(some[..., :2], others[..., :2])
    common = sides.clip(min=0).prod(axis=-1)
    areas = (others[..., 2:] - others[..., :2]).prod(axis=-1) + (some[..., 2:] - some[..., :2]).prod(axis=-1)
    shares: NDArray[Any] = common / np.maximum(areas - common, 1e-12)
    return shares


def judged(truths: list[NDArray[np.float32]], found: list[Found], threshold: float) -> Judged:
    """Each object that was found is right where it overlaps a true one of its class enough, which no surer one took;
    `truths` are class, left, top, right, bottom, picture by picture."""
    rows = [np.empty((0, 3))]
    for truth, objects in zip(truths, found, strict=True):
        taken = np.zeros(len(truth), bool)
        shares = overlaps(objects[:, None, 2:], truth[None, :, 1:]) * (objects[:, None, 0] == truth[None, :, 0])
        hits = np.zeros(len(objects))
        for number, row in enumerate(shares if len(truth) else ()):
            best = row.argmax()
            if row[best] >= threshold and not taken[best]:
                hits[number] = taken[best] = True
        rows.append(np.column_stack([objects[:, :2], hits]))
    return np.concatenate(rows)


def mean_average_precision(objects: Judged, kinds: NDArray[np.float32]) -> float:
    """Over the classes that there are: `kinds` are those of all true objects."""
    there, counts = np.unique(kinds, return_counts=True)
    parts = [_precision(objects[objects[:, 0] == kind], count) for kind, count in zip(there, counts, strict=True)]
    return float(np.mean(parts)) if parts else 0.0


def _precision(objects: Judged, total: int) -> float:
    """Area below the curve of precision over recall, made to fall only (PASCAL VOC 2010)."""
    hits = objects[np.argsort(-objects[:, 1], kind="stable"), 2].cumsum()
    recall = np.concatenate([[0], hits / total])
    precision = np.maximum.accumulate((hits / np.arange(1, len(hits) + 1))[::-1])[::-1]
    return float((np.diff(recall) * precision).sum())
