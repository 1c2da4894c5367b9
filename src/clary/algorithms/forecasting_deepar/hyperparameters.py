"""The documented hyperparameters of DeepAR.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/deepar_hyperparameters.html.
"""

import json
from collections.abc import Container
from typing import Any

from clary.algorithms.forecasting_deepar.calendar import Frequency
from clary.algorithms.hyperparameters import Hyperparameter, Interval
from clary.algorithms.kit.parameters import continuous, integer

AUTO, IGNORE = "auto", "ignore"
LIKELIHOODS = ("gaussian", "beta", "negative-binomial", "student-t", "deterministic-l1")
QUANTILES = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]


class _Said:
    """Values that a text describes in messages."""

    def __init__(self, description: str, numbers: Interval, *words: str) -> None:
        self._description, self._numbers, self._words = description, numbers, words

    def __contains__(self, value: object) -> bool:
        return value in self._words or (isinstance(value, int | float) and value in self._numbers)

    def __str__(self) -> str:
        return self._description


class _Frequencies:
    def __contains__(self, value: object) -> bool:
        return Frequency.of(str(value)) is not None

    def __str__(self) -> str:
        return "M, W, D, H or min, with or without an integer before it"


class _Likelihoods:
    def __contains__(self, value: object) -> bool:
        return value in LIKELIHOODS

    def __str__(self) -> str:
        return "one of 'gaussian', 'beta', 'negative-binomial', 'student-T', 'deterministic-L1'"


def _word_or_list(text: str) -> Any:
    return text if text in (AUTO, IGNORE, "") else _list(text)


def _word_or_integer(text: str) -> int | str:
    return text if text in (AUTO, IGNORE) else _optional_integer(text)


def _list(text: str) -> list[Any]:
    """Raises `ValueError` where it is none."""
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, list) or not found:
        raise ValueError(f"{text} is no array")
    return found


def _optional_integer(text: str) -> int | str:
    return int(text) if text else ""


def _free(name: str, parse: Any, values: Container[Any], default: Any) -> Hyperparameter:
    return Hyperparameter(name, parse, values, default=default)


COUNTS = Interval(1)
CARDINALITY = _Said("auto, ignore or an array of positive integers", COUNTS, AUTO, IGNORE, "")
DYNAMIC = _Said("auto, ignore or a positive integer", COUNTS, AUTO, IGNORE, "")

HYPERPARAMETERS = (
    integer("context_length", required=True),
    integer("epochs", required=True),
    integer("prediction_length", required=True),
    Hyperparameter("time_freq", str, _Frequencies(), required=True),
    _free("cardinality", _word_or_list, CARDINALITY, AUTO),
    continuous("dropout_rate", Interval(0, 1, high_open=True), default=0.1),
    _free("early_stopping_patience", _optional_integer, _Said("a positive integer", COUNTS, ""), ""),
    integer("embedding_dimension", default=10),
    continuous("learning_rate", Interval(0, low_open=True), default=1e-3),
    _free("likelihood", str.lower, _Likelihoods(), "student-t"),
    integer("mini_batch_size", default=128),
    integer("num_cells", default=40),
    _free("num_dynamic_feat", _word_or_integer, DYNAMIC, AUTO),
    integer("num_eval_samples", default=100),
    integer("num_layers", default=2),
    _free("test_quantiles", _list, _Said("an array of numbers in (0, 1)", Interval(0, 1, True, True)), QUANTILES),
)  # fmt: skip
