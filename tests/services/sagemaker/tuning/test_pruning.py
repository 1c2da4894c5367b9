"""Which running jobs are stopped before their time."""

from clary.services.sagemaker.tuning.definitions import Definition
from clary.services.sagemaker.tuning.pruning import is_worse_than_the_median, out_of_their_brackets
from clary.services.sagemaker.tuning.space import parameters
from clary.services.sagemaker.tuning.suggestions import Tried

SPACE = parameters({"ContinuousParameterRanges": [{"Name": "x", "MinValue": "0", "MaxValue": "100"}]})
LOSS = Definition("", "loss", True, SPACE, {})
SCORE = Definition("", "score", False, SPACE, {})
BEFORE = [[9.0, 5.0, 1.0], [8.0, 4.0], [7.0, 7.0, 7.0], [6.0]]


def test_a_value_is_measured_by_the_running_averages_up_to_its_epoch() -> None:
    """At the second epoch the averages are 7, 6 and 7; the job that printed one value has no say."""
    assert is_worse_than_the_median(LOSS, [1.0, 7.1], BEFORE)
    assert not is_worse_than_the_median(LOSS, [99.0, 6.9], BEFORE)
    assert is_worse_than_the_median(SCORE, [1.0, 6.9], BEFORE)
    assert not is_worse_than_the_median(SCORE, [1.0, 7.1], BEFORE)


def test_nothing_is_judged_without_jobs_that_came_so_far() -> None:
    assert not is_worse_than_the_median(LOSS, [9.0, 9.0, 9.0], BEFORE)
    assert not is_worse_than_the_median(LOSS, [], BEFORE)


def test_hyperband_stops_the_worse_and_lets_the_best_go_on() -> None:
    """Each job's loss falls with its epochs from where its parameter puts it."""
    tried = [
        Tried({"x": str(number)}, None, live=True, over_time=[number + 1 / epoch for epoch in range(1, 10)])
        for number in range(27)
    ]
    stopped = out_of_their_brackets(LOSS, tried, (1, 27), "study")
    assert 0 not in stopped
    assert len(stopped) >= 9
    assert sum(stopped) / len(stopped) > 13


def test_hyperband_stops_who_had_all_its_resources() -> None:
    tried = [Tried({"x": "1"}, None, live=True, over_time=[1.0] * 9)]
    assert out_of_their_brackets(LOSS, tried, (1, 9), "study") == [0]
    assert out_of_their_brackets(LOSS, [Tried({"x": "1"}, None, True, [1.0] * 8)], (1, 9), "study") == []
