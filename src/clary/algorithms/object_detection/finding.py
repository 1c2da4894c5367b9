"""From what a network says of its boxes to objects: decoded, thinned out, the surest first."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from clary.algorithms.object_detection.boxes import Found, thin_out
from clary.algorithms.object_detection.network import LEAST, outputs

CANDIDATES, MOST = 400, 200
"""Boxes of a class that are looked at, and objects of a picture that are told."""


def find(network: nn.Module, pictures: Tensor, nms_threshold: float) -> list[Found]:
    """`pictures` are of the network's own size."""
    with torch.inference_mode():
        said, boxes = outputs(network, pictures)
        shares = said["cls_logits"].softmax(dim=-1)
        found = []
        for own, moves, scores in zip(boxes, said["bbox_regression"], shares, strict=True):
            places = (network.box_coder.decode_single(moves, own) / pictures.shape[-1]).clamp(0, 1)
            found.append(_objects(places.cpu().numpy(), scores.cpu().numpy(), nms_threshold))
    return found


def _objects(places: NDArray[np.float32], scores: NDArray[np.float32], threshold: float) -> Found:
    rows = [np.empty((0, 6))]
    for kind in range(1, scores.shape[1]):
        candidates = np.flatnonzero(scores[:, kind] > LEAST)
        candidates = candidates[np.argsort(-scores[candidates, kind], kind="stable")][:CANDIDATES]
        kept = candidates[thin_out(places[candidates], threshold)]
        rows.append(np.column_stack([np.full(len(kept), kind - 1.0), scores[kept, kind], places[kept]]))
    together = np.concatenate(rows)
    return together[np.argsort(-together[:, 1], kind="stable")][:MOST]
