"""Training: hyperparameters, channels and data are checked in this order, then XGBoost works.

/opt/ml/input → validate → DMatrix of train and validation → xgboost.train, or cross validation →
/opt/ml/model
"""

import logging
import os
from typing import Any, cast

from clary.algorithms.errors import AlgorithmError, UserError
from clary.algorithms.hyperparameters import validate
from clary.algorithms.xgboost.boosting import Boosting
from clary.algorithms.xgboost.callbacks import Checkpoints, RoundLog, StopOnSigterm, find_checkpoint
from clary.algorithms.xgboost.channels import check_channels
from clary.algorithms.xgboost.content import Format
from clary.algorithms.xgboost.cross_validation import cross_validate
from clary.algorithms.xgboost.data import load_matrix
from clary.algorithms.xgboost.hyperparameters import HYPERPARAMETERS
from clary.algorithms.xgboost.library import xgboost
from clary.algorithms.xgboost.model import MODEL_NAME, save_model
from clary.toolkits.environment import read_config
from clary.toolkits.layout import opt_ml


def train() -> None:
    """Train on what `/opt/ml/input` says and leave the model in `/opt/ml/model`."""
    stop = StopOnSigterm()
    logging.info("Running XGBoost Sagemaker in algorithm mode")
    _require_one_host(read_config("resourceconfig.json"))
    given = validate(HYPERPARAMETERS, cast(dict[str, str], read_config("hyperparameters.json")))
    channels = cast(dict[str, dict[str, Any]], read_config("inputdataconfig.json"))
    kind = check_channels(channels)
    boosting = Boosting.of(given)
    os.makedirs(opt_ml("model"), exist_ok=True)
    if "_kfold" in given:
        data = _load(["train", "validation"] if "validation" in channels else ["train"], kind, given)
        rounds = given.get("_num_cv_round", 1)
        models = cross_validate(boosting, data, given["_kfold"], rounds, lambda: [RoundLog(), stop])
        for fold, model in enumerate(models):
            save_model(model, opt_ml("model", f"{MODEL_NAME}-{fold}"))
        return
    data = _load(["train"], kind, given)
    validation = _load(["validation"], kind, given) if "validation" in channels else None
    logging.info("Single node training.")
    logging.info("Train matrix has %d rows and %d columns", data.num_row(), data.num_col())
    if validation is not None:
        logging.info("Validation matrix has %d rows", validation.num_row())
    save_model(_boost(boosting, data, validation, stop), opt_ml("model", MODEL_NAME))


def _boost(
    boosting: Boosting,
    data: "xgboost.DMatrix",
    validation: "xgboost.DMatrix | None",
    stop: StopOnSigterm,
) -> "xgboost.Booster":
    """Train from the newest checkpoint on, where the job keeps checkpoints and has one."""
    directory = _checkpoint_directory()
    if directory is None:
        return boosting.run(data, validation, [RoundLog(), stop])[0]
    model, done = find_checkpoint(directory)
    if model is not None:
        logging.info("Resuming from iteration %d", done)
        if done >= boosting.rounds:
            return model
    callbacks = [RoundLog(done), Checkpoints(directory, done), stop]
    return boosting.run(data, validation, callbacks, model, done)[0]


def _checkpoint_directory() -> str | None:
    """Where the job keeps its checkpoints: as configured, or `/opt/ml/checkpoints` where there is one."""
    configured = read_config("checkpointconfig.json").get("LocalPath")
    if isinstance(configured, str):
        os.makedirs(configured, exist_ok=True)
        return configured
    return opt_ml("checkpoints") if os.path.isdir(opt_ml("checkpoints")) else None


def _load(channels: list[str], kind: Format, given: dict[str, Any]) -> "xgboost.DMatrix":
    directories = [opt_ml("input", "data", channel) for channel in channels]
    matrix = load_matrix(directories, kind, weights=given.get("csv_weights") == 1)
    if matrix is None:
        what = "validation" if channels == ["validation"] else "training"
        raise UserError(f"No data in {what} channel path {directories[0]}")
    return matrix


def _require_one_host(resources: dict[str, object]) -> None:
    hosts = resources.get("hosts", [])
    if isinstance(hosts, list) and len(hosts) > 1:
        raise AlgorithmError(f"Training on {len(hosts)} instances is not supported: use one instance.")
