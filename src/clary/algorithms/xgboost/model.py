"""Models as files. A new one is XGBoost's UBJSON, which `Booster.load_model` of any release since 1.6 reads."""

import logging
import os
import pickle
from typing import Any

from clary.algorithms.xgboost.library import xgboost

MODEL_NAME = "xgboost-model"


def save_model(model: "xgboost.Booster", path: str) -> None:
    """Write a model whole or not at all."""
    partial = f"{path}.partial"
    with open(partial, "wb") as file:
        file.write(model.save_raw("ubj"))
    os.replace(partial, path)


def load_model(path: str) -> "xgboost.Booster":
    """Read a model in any of XGBoost's own formats, told from its content."""
    with open(path, "rb") as file:
        content = bytearray(file.read())
    booster = xgboost.Booster()
    booster.load_model(content)
    return booster


def load_ensemble(directory: str, *, all_of_them: bool = True) -> list["xgboost.Booster"]:
    """The models of a directory: one, or those of the folds of a cross validation."""
    names = sorted(name for name in os.listdir(directory) if not name.startswith("."))
    paths = [path for name in names if os.path.isfile(path := os.path.join(directory, name))]
    if not paths:
        raise FileNotFoundError(f"There is no model in {directory}.")
    return [_load_any(path) for path in (paths if all_of_them else paths[:1])]


def _load_any(path: str) -> "xgboost.Booster":
    """A model of XGBoost's, or one that an image before 1.3 left as a pickle."""
    logging.info("Loading the model from %s", path)
    try:
        return load_model(path)
    except xgboost.core.XGBoostError as error:
        with open(path, "rb") as file:
            try:
                model: Any = pickle.load(file)
            except Exception as unpickling:
                reason = str(error).partition("\nStack trace")[0]
                raise RuntimeError(f"Model at {path} cannot be loaded:\n{reason}\n{unpickling}") from unpickling
    if not isinstance(model, xgboost.Booster):
        raise RuntimeError(f"Model at {path} cannot be loaded: it is a {type(model).__name__}, no Booster.")
    return model
