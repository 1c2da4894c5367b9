"""Predicts the rings of abalones of one sex: one of many small models that share an endpoint."""

import argparse
import os

import joblib
import pandas as pd
from sklearn.linear_model import LinearRegression


def model_fn(model_dir):
    return joblib.load(os.path.join(model_dir, "model.joblib"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--sex")
    parser.add_argument("--train", default=os.environ.get("SM_CHANNEL_TRAIN"))
    parser.add_argument("--model-dir", default=os.environ.get("SM_MODEL_DIR"))
    arguments = parser.parse_args()
    rows = pd.read_csv(os.path.join(arguments.train, "train.csv"), header=None)
    mine = rows[rows[0] == arguments.sex]
    model = LinearRegression().fit(mine.loc[:, 1:7].to_numpy(), mine[8])
    joblib.dump(model, os.path.join(arguments.model_dir, "model.joblib"))
