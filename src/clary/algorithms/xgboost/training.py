"""Training: hyperparameters, channels and data are checked in this order, then XGBoost works.

/opt/ml/input → validate → DMatrix of train and validation → xgboost.train, or cross validation →
/opt/ml/model. Several instances do the second half together (`team`).
"""

import logging
import os
from collections.abc import Container
from dataclasses import replace
from typing import Any, cast

from clary.algorithms.errors import UserError
from clary.algorithms.hyperparameters import validate
from clary.algorithms.xgboost.boosting import Boosting
from clary.algorithms.xgboost.callbacks import Checkpoints, RoundLog, StopOnSigterm, StopTogether, find_checkpoint
from clary.algorithms.xgboost.channels import check_channels
from clary.algorithms.xgboost.content import Format
from clary.algorithms.xgboost.cross_validation import cross_validate
from clary.algorithms.xgboost.data import load_matrix
from clary.algorithms.xgboost.hyperparameters import HYPERPARAMETERS
from clary.algorithms.xgboost.library import xgboost
from clary.algorithms.xgboost.model import MODEL_NAME, save_model
from clary.algorithms.xgboost.team import Team, gather
from clary.toolkits.environment import read_config
from clary.toolkits.layout import opt_ml


def train() -> None:
    """Train on what `/opt/ml/input` says and leave the model in `/opt/ml/model`."""
    resources = read_config("resourceconfig.json")
    hosts = cast(list[str], resources.get("hosts") or ["algo-1"])
    alone = len(hosts) == 1
    stop = StopOnSigterm() if alone else StopTogether()
    logging.info("Running XGBoost Sagemaker in algorithm mode")
    given = validate(HYPERPARAMETERS, cast(dict[str, str], read_config("hyperparameters.json")))
    channels = cast(dict[str, dict[str, Any]], read_config("inputdataconfig.json"))
    kind = check_channels(channels)
    boosting = Boosting.of(given)
    os.makedirs(opt_ml("model"), exist_ok=True)
    if "_kfold" in given:
        if not alone:
            raise UserError(f"Cross validation (_kfold) runs on one instance, and there are {len(hosts)}.")
        _cross_validate(boosting, channels, kind, given, stop)
        return
    load = _load if alone else _read
    data = load(["train"], kind, given)
    validation = load(["validation"], kind, given) if "validation" in channels else None
    rows = data.num_row() if data is not None else 0
    own = str(resources.get("current_host", hosts[0]))
    with gather(hosts, own, rows, validated=validation is not None) as team:
        if team is None or data is None:
            logging.info("This instance has no training data, and takes no part.")
            return
        logging.info("Single node training." if alone else f"Training on {team.size} instances.")
        logging.info("Train matrix has %d rows and %d columns", data.num_row(), data.num_col())
        if validation is not None:
            logging.info("Validation matrix has %d rows", validation.num_row())
        if isinstance(stop, StopTogether):
            stop.begin(team.agrees)
        model = _boost(boosting, data, validation, stop, team)
        if team.leads:
            save_model(model, opt_ml("model", MODEL_NAME))


def _cross_validate(
    boosting: Boosting,
    channels: Container[str],
    kind: Format,
    given: dict[str, Any],
    stop: StopOnSigterm | StopTogether,
) -> None:
    data = _load(["train", "validation"] if "validation" in channels else ["train"], kind, given)
    rounds = given.get("_num_cv_round", 1)
    models = cross_validate(boosting, data, given["_kfold"], rounds, lambda: [RoundLog(), stop])
    for fold, model in enumerate(models):
        save_model(model, opt_ml("model", f"{MODEL_NAME}-{fold}"))


def _boost(
    boosting: Boosting,
    data: "xgboost.DMatrix",
    validation: "xgboost.DMatrix | None",
    stop: StopOnSigterm | StopTogether,
    team: Team,
) -> "xgboost.Booster":
    """Train, alone from the newest checkpoint on, where the job keeps checkpoints and has one."""
    directory = _checkpoint_directory() if team.size == 1 else None
    if directory is None:
        boosting = replace(boosting, evaluate=team.shared(boosting.evaluate))
        return boosting.run(data, validation, [RoundLog(), stop] if team.leads else [stop])[0]
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
    matrix = _read(channels, kind, given)
    if matrix is None:
        what = "validation" if channels == ["validation"] else "training"
        raise UserError(f"No data in {what} channel path {opt_ml('input', 'data', channels[0])}")
    return matrix


def _read(channels: list[str], kind: Format, given: dict[str, Any]) -> "xgboost.DMatrix | None":
    """None where there is no data, as on one of several instances there may be none."""
    directories = [opt_ml("input", "data", channel) for channel in channels]
    return load_matrix(directories, kind, weights=given.get("csv_weights") == 1)
