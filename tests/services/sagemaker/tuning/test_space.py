"""Ranges, their scales, and the values that come of them."""

from typing import Any

import pytest

from clary.services.sagemaker.tuning.space import combination, parameters, size
from clary.services.sagemaker.tuning.suggestions import Tried, suggest


def continuous(low: str, high: str, scale: str = "Linear") -> dict[str, Any]:
    return {"ContinuousParameterRanges": [{"Name": "x", "MinValue": low, "MaxValue": high, "ScalingType": scale}]}


def drawn(ranges: dict[str, Any], count: int = 300) -> list[float]:
    space = parameters(ranges)
    found = [suggest("Random", space, True, [], number, 7) for number in range(count)]
    return sorted(float(values["x"]) for values in found if values)


@pytest.mark.parametrize(
    ("low", "high", "scale", "middle"),
    [
        ("0", "10", "Linear", (4.0, 6.0)),
        ("0.0001", "1", "Logarithmic", (0.004, 0.03)),
        # Half of all draws lie within 0.01 of the end, in whose nines the difference is made.
        ("0.9", "0.9999", "ReverseLogarithmic", (0.993, 0.998)),
        ("0.0001", "1", "Auto", (0.004, 0.03)),
        ("0.5", "1", "Auto", (0.7, 0.8)),
    ],
)
def test_values_are_spread_evenly_on_their_scale(low: str, high: str, scale: str, middle: tuple[float, float]) -> None:
    values = drawn(continuous(low, high, scale))
    assert float(low) <= values[0] <= values[-1] <= float(high)
    assert middle[0] < values[len(values) // 2] < middle[1]


def test_integers_are_whole_and_reach_both_ends() -> None:
    values = drawn({"IntegerParameterRanges": [{"Name": "x", "MinValue": "2", "MaxValue": "4"}]})
    assert set(values) == {2.0, 3.0, 4.0}


@pytest.mark.parametrize("scale", ["Linear", "Logarithmic", "ReverseLogarithmic"])
def test_a_text_is_read_back_as_the_value_that_it_was_made_of(scale: str) -> None:
    (parameter,) = parameters(continuous("0.001", "0.999", scale))
    for text in ("0.001", "0.25", "0.999"):
        sampled = parameter.sampled(text)
        assert sampled is not None
        assert float(parameter.text(sampled)) == pytest.approx(float(text))
    assert parameter.sampled("1.5") is None
    assert parameter.sampled("red") is None


@pytest.mark.parametrize(
    ("ranges", "message"),
    [
        (continuous("1", "1"), "must be less than"),
        (continuous("a", "1"), "must be numbers"),
        (continuous("0", "inf"), "finite"),
        (continuous("0", "1", "Logarithmic"), "above 0"),
        (continuous("0", "1", "ReverseLogarithmic"), r"lie in \[0, 1\)"),
        ({"IntegerParameterRanges": [{"Name": "x", "MinValue": "1.5", "MaxValue": "4"}]}, "must be integers"),
        ({**continuous("0", "1"), "CategoricalParameterRanges": [{"Name": "x", "Values": ["a"]}]}, "more than one"),
    ],
)
def test_ranges_that_make_no_sense_are_refused(ranges: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parameters(ranges)


def test_a_grid_holds_every_combination_once() -> None:
    space = parameters(
        {"CategoricalParameterRanges": [{"Name": "a", "Values": ["1", "2"]}, {"Name": "b", "Values": ["x", "y", "z"]}]}
    )
    assert size(space) == 6
    assert len({tuple(combination(space, number).items()) for number in range(6)}) == 6
    assert suggest("Grid", space, True, [], 6, 0) is None


def test_autotuned_ranges_lie_around_their_hints() -> None:
    hints = {"rate": "0.1", "depth": "6", "shuffle": "true", "kind": "gbtree"}
    space = {
        each.name: each
        for each in parameters({"AutoParameters": [{"Name": n, "ValueHint": h} for n, h in hints.items()]})
    }
    assert (space["rate"].low, space["rate"].high) == (0.01, 1.0)
    assert (space["depth"].kind, space["depth"].low, space["depth"].high) == ("integer", 1, 24)
    assert space["shuffle"].values == ("true", "false")
    assert space["kind"].values == ("gbtree",)


def test_the_same_jobs_and_seed_give_the_same_values() -> None:
    space = parameters(continuous("0", "1"))
    tried = [Tried({"x": str(number / 20)}, (number / 20 - 0.3) ** 2, live=False) for number in range(15)]
    first = suggest("Bayesian", space, True, tried, 15, 3)
    assert first == suggest("Bayesian", space, True, tried, 15, 3)
    assert first != suggest("Bayesian", space, True, tried, 16, 3)


def test_bayesian_search_turns_to_where_it_is_good() -> None:
    space = parameters(continuous("0", "1"))
    tried: list[Tried] = []
    for number in range(40):
        values = suggest("Bayesian", space, True, tried, number, 1)
        assert values
        tried.append(Tried(values, (float(values["x"]) - 0.3) ** 2, live=False))
    late = [abs(float(each.values["x"]) - 0.3) for each in tried[25:]]
    assert sorted(late)[len(late) // 2] < 0.1
