"""Overlaps of boxes, thinning and mean average precision, by numbers worked out by hand."""

import numpy as np
import pytest

from clary.algorithms.object_detection.boxes import Found, judged, mean_average_precision, overlaps, thin_out

LEFT, MIDDLE, RIGHT = [0.0, 0.0, 0.4, 0.4], [0.1, 0.0, 0.5, 0.4], [0.6, 0.0, 1.0, 0.4]


def test_overlaps_are_intersections_over_unions() -> None:
    shares = overlaps(np.array(LEFT), np.array([LEFT, MIDDLE, RIGHT]))
    assert shares == pytest.approx([1, 0.6, 0])


def test_of_boxes_that_overlap_the_surest_is_kept() -> None:
    places = np.array([MIDDLE, LEFT, RIGHT])
    assert thin_out(places, 0.45) == [0, 2]
    assert thin_out(places, 0.65) == [0, 1, 2]
    assert thin_out(places[:0], 0.45) == []


def precision(truths: list[np.ndarray], found: list[Found]) -> float:
    return mean_average_precision(judged(truths, found, 0.5), np.concatenate([truth[:, 0] for truth in truths]))


def test_precision_falls_with_what_is_wrong_twice_found_or_missed() -> None:
    truths = [np.array([[0, *LEFT], [1, *RIGHT]]), np.array([[0, *RIGHT]])]
    perfect = [np.array([[0, 0.9, *LEFT], [1, 0.8, *RIGHT]]), np.array([[0, 0.7, *RIGHT]])]
    assert precision(truths, perfect) == 1
    # Of class 0: found, found again (wrong), found in the other picture. Precision 1 to half the recall, then 2/3.
    twice = [np.array([[0, 0.9, *LEFT], [0, 0.8, *MIDDLE]]), np.array([[0, 0.7, *RIGHT]])]
    assert precision(truths, twice) == pytest.approx((0.5 + 0.5 * 2 / 3 + 0) / 2)
    assert precision(truths, [np.empty((0, 6))] * 2) == 0
