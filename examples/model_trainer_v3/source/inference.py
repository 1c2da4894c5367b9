"""How the model server loads the model; its formats and prediction are the container's own."""

from pathlib import Path

import joblib
from sklearn.ensemble import HistGradientBoostingRegressor


def model_fn(model_dir: str) -> HistGradientBoostingRegressor:
    return joblib.load(Path(model_dir) / "model.joblib")
