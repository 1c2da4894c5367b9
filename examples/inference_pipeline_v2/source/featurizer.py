"""Turns abalones as they were written down into numbers, before training and before each prediction."""

import argparse
import os
from io import StringIO

import joblib
import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.preprocessing import OneHotEncoder, StandardScaler

FEATURES = ["sex", "length", "diameter", "height", "whole", "shucked", "viscera", "shell"]
LABEL = "rings"


def read(text):
    """With the label as the last column, or without one."""
    rows = pd.read_csv(text, header=None)
    rows.columns = [*FEATURES, LABEL][: rows.shape[1]]
    return rows


def model_fn(model_dir):
    return joblib.load(os.path.join(model_dir, "featurizer.joblib"))


def input_fn(body, content_type):
    if content_type != "text/csv":
        raise ValueError(f"{content_type} is not supported: send text/csv.")
    return read(StringIO(body))


def predict_fn(rows, featurizer):
    """The label comes first, as XGBoost wants it for training."""
    features = featurizer.transform(rows[FEATURES])
    return np.column_stack([rows[LABEL], features]) if LABEL in rows else features


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--train", default=os.environ.get("SM_CHANNEL_TRAIN"))
    parser.add_argument("--model-dir", default=os.environ.get("SM_MODEL_DIR"))
    arguments = parser.parse_args()
    rows = read(os.path.join(arguments.train, "train.csv"))
    featurizer = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["sex"]), (StandardScaler(), FEATURES[1:])
    )
    featurizer.fit(rows[FEATURES])
    joblib.dump(featurizer, os.path.join(arguments.model_dir, "featurizer.joblib"))
