"""Hyperparameters of AWS's own algorithms: typed, with their defaults, refused in AWS's words."""

import pytest

from clary.algorithms.errors import UserError
from clary.algorithms.hyperparameters import Interval
from clary.algorithms.kit.parameters import boolean, category, continuous, integer, settle, subset

KNOWN = (
    integer("k", required=True),
    integer("feature_dim", required=True),
    integer("trials", default="auto"),
    continuous("tol", Interval(0, 1), default=0.1),
    category("init", "random", "kmeans++", default="random"),
    subset("eval_metrics", "msd", "ssd", default=("msd",)),
    boolean("dense", default=True),
)
GIVEN = {"k": "10", "feature_dim": "3"}


def test_values_are_typed_and_defaults_filled_in() -> None:
    more = {"trials": "3.0", "tol": "1e-2", "eval_metrics": '["msd", "ssd"]', "dense": "False", "init": '"kmeans++"'}
    assert settle(KNOWN, {**GIVEN, **more, "_kvstore": "auto", "sagemaker_region": '"us-east-1"'}) == {
        "k": 10,
        "feature_dim": 3,
        "trials": 3,
        "tol": 0.01,
        "init": "kmeans++",
        "eval_metrics": ["msd", "ssd"],
        "dense": False,
    }
    filled = settle(KNOWN, {**GIVEN, "trials": "auto"})
    assert (filled["trials"], filled["tol"], filled["eval_metrics"], filled["dense"]) == ("auto", 0.1, ["msd"], True)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({}, r"No value\(s\) were specified for 'k', 'feature_dim' which are required hyperparameter\(s\) \(caused by"),
        ({**GIVEN, "foo": "1"}, r"Additional hyperparameters are not allowed \('foo' was unexpected\)"),
        (
            {**GIVEN, "k": "0"},
            r"^The value '0' is not valid for the 'k' hyperparameter which expects an integer in \[1, \+inf\)",
        ),
        ({**GIVEN, "k": "1.5"}, "'1.5' is not valid for the 'k'"),
        ({**GIVEN, "k": "auto"}, "'auto' is not valid for the 'k'"),
        (
            {**GIVEN, "trials": "-1"},
            r"'-1' is not valid for the 'trials' .* expects one of the following: 'auto'; or \[1",
        ),
        ({**GIVEN, "tol": "2"}, r"'2' is not valid for the 'tol' hyperparameter which expects \[0, 1\]"),
        ({**GIVEN, "tol": "nan"}, "'nan' is not valid for the 'tol'"),
        (
            {**GIVEN, "init": "best"},
            "'best' is not valid for the 'init' .* accepts one of the following: 'random', 'kmeans",
        ),
        ({**GIVEN, "eval_metrics": "msd"}, "Hyperparameter must be valid json, but found eval_metrics: msd"),
        ({**GIVEN, "eval_metrics": '["mse"]'}, "is not valid for the 'eval_metrics' hyperparameter"),
        ({**GIVEN, "dense": "maybe"}, "'maybe' is not valid for the 'dense'"),
    ],
)
def test_what_is_not_allowed_is_refused_by_name(given: dict[str, str], reason: str) -> None:
    with pytest.raises(UserError, match=reason):
        settle(KNOWN, given)
