"""Models as files. A new one is XGBoost's UBJSON, which `Booster.load_model` of any release since 1.6 reads."""

import json
import logging
import os
import pickle
from typing import Any

from clary.algorithms.xgboost.legacy import read_binary
from clary.algorithms.xgboost.library import RELEASE, xgboost

MODEL_NAME = "xgboost-model"
PICKLE = pickle.PROTO


def save_model(model: "xgboost.Booster", path: str) -> None:
    """Write a model whole or not at all."""
    partial = f"{path}.partial"
    with open(partial, "wb") as file:
        file.write(_encoded(model))
    os.replace(partial, path)


def _encoded(model: "xgboost.Booster") -> bytes | bytearray:
    """As AWS's image of the same release writes it."""
    if RELEASE < (1, 3):
        return pickle.dumps(model)
    return bytes(model.save_raw() if RELEASE < (1, 6) else model.save_raw("ubj"))


def describe(model: "xgboost.Booster") -> tuple[str, int, int]:
    """Objective, number of classes (0 where there are none) and of features."""
    if RELEASE < (1, 0):
        return read_binary(bytes(model.save_raw()))
    learner = json.loads(model.save_config())["learner"]
    parameters = learner["learner_model_param"]
    return learner["objective"]["name"], int(parameters.get("num_class", 0)), int(parameters["num_feature"])


def load_model(path: str) -> "xgboost.Booster":
    """Read a model in any of XGBoost's own formats, told from its content, or one that an image before 1.3 left as a
    pickle. Raises `RuntimeError` where it is neither."""
    with open(path, "rb") as file:
        content = file.read()
    try:
        # Looked at first: given a pickle, the oldest releases end the process.
        if content.startswith(PICKLE):
            model: Any = pickle.loads(content)
        else:
            model = xgboost.Booster()
            model.load_model(bytearray(content))
    except Exception as error:
        reason = str(error).partition("\nStack trace")[0]
        raise RuntimeError(f"Model at {path} cannot be loaded:\n{reason}") from error
    if not isinstance(model, xgboost.Booster):
        raise RuntimeError(f"Model at {path} cannot be loaded: it is a {type(model).__name__}, no Booster.")
    return model


def load_ensemble(directory: str, *, all_of_them: bool = True) -> list["xgboost.Booster"]:
    """The models of a directory: one, or those of the folds of a cross validation."""
    names = sorted(name for name in os.listdir(directory) if not name.startswith("."))
    paths = [path for name in names if os.path.isfile(path := os.path.join(directory, name))]
    if not paths:
        raise FileNotFoundError(f"There is no model in {directory}.")
    models = []
    for path in paths if all_of_them else paths[:1]:
        logging.info("Loading the model from %s", path)
        models.append(load_model(path))
    return models
