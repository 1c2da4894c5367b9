"""Selectable inference: with `SAGEMAKER_INFERENCE_OUTPUT=predicted_label,probabilities` a prediction is a
record.

Which keys an objective knows, and what they hold, is documented at
https://docs.aws.amazon.com/sagemaker/latest/dg/xgboost-inference.html; a key that it does not know is NaN.
"""

import csv
import io
import json
import logging
import math
from collections.abc import Callable
from typing import Any

import numpy as np

REGRESSION = ("predicted_score",)
SCORED = ("predicted_label", "labels", "raw_score", "raw_scores")
CLASSIFIED = (*SCORED, "probability", "probabilities")

KEYS: dict[str, tuple[str, ...]] = {
    "reg:squarederror": REGRESSION,
    "reg:logistic": REGRESSION,
    "reg:gamma": REGRESSION,
    "reg:tweedie": REGRESSION,
    "binary:logistic": CLASSIFIED,
    "binary:logitraw": SCORED,
    "binary:hinge": SCORED,
    "multi:softmax": SCORED,
    "multi:softprob": CLASSIFIED,
}
"""Objective → the keys that it knows."""

Record = dict[str, Any]


def keys_of(setting: str) -> list[str]:
    return setting.replace(" ", "").lower().split(",")


def select(predictions: Any, keys: list[str], objective: str, classes: int) -> list[Record]:
    """A record of `keys` for each prediction; raises `ValueError` for an objective without selection."""
    if objective not in KEYS:
        raise ValueError(f"Objective `{objective}` unsupported for selectable inference predictions.")
    known = KEYS[objective]
    if unknown := [key for key in keys if key not in known]:
        logging.warning("Selected key(s) %s incompatible for objective '%s'.", unknown, objective)
    return [
        {key: _value(key, prediction, objective, classes) if key in known else math.nan for key in keys}
        for prediction in predictions
    ]


def _value(key: str, prediction: Any, objective: str, classes: int) -> Any:
    if key == "labels":
        return list(range(classes)) if objective.startswith("multi:") else [0, 1]
    if key == "predicted_label":
        return _label(prediction, objective)
    if objective == "multi:softprob":
        return prediction.tolist() if key.endswith("s") else prediction.max().item()
    score = prediction.item()
    return [1.0 - score, score] if key.endswith("s") else score


def _label(prediction: Any, objective: str) -> Any:
    if objective == "multi:softprob":
        return int(np.argmax(prediction))
    if objective == "binary:logistic":
        return int(prediction > 0.5)
    if objective == "binary:logitraw":
        return int(prediction > 0)
    return prediction.item()


def _as_csv(records: list[Record]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(record.values() for record in records)
    return text.getvalue().rstrip("\n")


ENCODERS: dict[str, Callable[[list[Record]], str]] = {
    "application/json": lambda records: json.dumps({"predictions": records}),
    "application/jsonlines": lambda records: "".join(json.dumps(record) + "\n" for record in records),
    "text/csv": _as_csv,
}
"""Accept → how records are written."""
