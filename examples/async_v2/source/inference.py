"""Rings of abalones by a linear model, whose coefficients are all that was trained."""

import json
from pathlib import Path

import numpy as np


def model_fn(model_dir):
    return np.array(json.loads((Path(model_dir) / "coefficients.json").read_text()))


def predict_fn(rows, coefficients):
    return np.column_stack([rows, np.ones(len(rows))]) @ coefficients
