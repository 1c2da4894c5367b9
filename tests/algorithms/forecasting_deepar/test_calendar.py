"""Frequencies of series: their forms, steps, features and lags, as AWS's pages tell them."""

import numpy as np
import pytest

from clary.algorithms.forecasting_deepar.calendar import Frequency


def frequency(name: str) -> Frequency:
    found = Frequency.of(name)
    assert found is not None
    return found


@pytest.mark.parametrize("name", ["", "0D", "5", "T", "1Y", "d", "min5", "D5", "1.5H"])
def test_what_is_no_frequency(name: str) -> None:
    assert Frequency.of(name) is None


@pytest.mark.parametrize(
    ("name", "third"),
    [
        ("min", "2020-01-31T00:02"),
        ("5min", "2020-01-31T00:10"),
        ("H", "2020-01-31T02:00"),
        ("2D", "2020-02-04T00:00"),
        ("W", "2020-02-14T00:00"),
        ("M", "2020-03-01T00:00"),
        ("3M", "2020-07-01T00:00"),
    ],
)
def test_steps(name: str, third: str) -> None:
    assert frequency(name).moments(np.datetime64("2020-01-31"), 2, 1)[0] == np.datetime64(third)


@pytest.mark.parametrize(("name", "count"), [("min", 5), ("H", 4), ("D", 3), ("W", 2), ("M", 1)])
def test_features_are_as_many_as_aws_tells_and_of_one_size(name: str, count: int) -> None:
    each = frequency(name)
    steps = 530_000  # A year of minutes.
    found = each.features(each.moments(np.datetime64("2019-12-28"), -500, steps))
    assert found.shape == (count, steps)
    assert np.abs(found).max() <= 0.5
    assert (np.ptp(found, axis=1) > 0.9).all()


@pytest.mark.parametrize(
    ("name", "cycles"),
    [
        ("D", [7, 14, 21, 28, 364]),
        ("H", [24, 48, 72, 168]),
        ("5min", [12, 288, 576]),
        ("M", [12, 24, 36]),
        ("W", [52, 104]),
    ],
)
def test_lags_are_those_of_days_weeks_and_years(name: str, cycles: list[int]) -> None:
    found = frequency(name).lags()
    assert found[0] == 1
    assert found == sorted(set(found))
    assert set(cycles) <= set(found)
