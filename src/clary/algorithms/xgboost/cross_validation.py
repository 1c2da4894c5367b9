"""K-fold cross validation: `_kfold` folds, `_num_cv_round` times over, one model and one held-out
prediction each.

    rows → folds of scikit-learn → a model per fold → xgboost-model-<n>, and /opt/ml/output/data/predictions.csv
"""

import logging
import os
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clary.algorithms.xgboost.boosting import Boosting
from clary.algorithms.xgboost.callbacks import EvaluationLog
from clary.algorithms.xgboost.library import xgboost
from clary.toolkits.layout import opt_ml

PREDICTIONS = "predictions.csv"


def cross_validate(
    boosting: Boosting,
    data: "xgboost.DMatrix",
    folds: int,
    rounds: int,
    callbacks: Callable[[], list["xgboost.callback.TrainingCallback"]],
) -> list["xgboost.Booster"]:
    """A model per fold and round, in order. Logs the mean of each metric and writes the held-out predictions."""
    from sklearn import model_selection  # Takes a second to import, and few jobs need it.

    labels = data.get_label()
    is_classification = boosting.parameters.get("objective", "").startswith(("binary:", "multi:"))
    kind = "RepeatedStratifiedKFold" if is_classification else "RepeatedKFold"
    seed = boosting.parameters.get("seed")
    splitter = getattr(model_selection, kind)(n_splits=folds, n_repeats=rounds, random_state=seed)
    logging.info("Run %d-round of %d-fold cross validation with %d rows", rounds, folds, len(labels))
    models: list[xgboost.Booster] = []
    logs: list[EvaluationLog] = []
    held_out: list[list[Any]] = [[] for _ in labels]
    for learn, hold in splitter.split(np.zeros((len(labels), 1)), labels):
        logging.info("Train cross validation fold %d", len(models) % folds + 1)
        held = data.slice(hold)
        model, log = boosting.run(data.slice(learn), held, callbacks())
        models.append(model)
        logs.append(log)
        for row, prediction in zip(hold, model.predict(held), strict=True):
            held_out[row].append(prediction)
        if len(models) % folds == 0:
            logging.info("The metrics of round %d cross validation", len(models) // folds)
            _print_means(boosting.rounds, logs[-folds:])
    if rounds > 1:
        logging.info("The overall metrics of %d-round cross validation", rounds)
        _print_means(boosting.rounds, logs)
    _write_predictions(labels, np.array(held_out), is_classification)
    return models


def _print_means(rounds: int, logs: list[EvaluationLog]) -> None:
    line = f"[{rounds}]"
    for metric in logs[0]["train"]:
        for data in ("train", "validation"):
            line += f"#011{data}-{metric}:{np.mean([log[data][metric][-1] for log in logs]):.5f}"
    print(line, flush=True)


def _write_predictions(labels: NDArray[Any], held_out: NDArray[Any], is_classification: bool) -> None:
    """A row each: the truth, then the mean prediction, or for classes the mean probability and the commonest class.

    `held_out` is rows by rounds, by classes where the model gives a probability for each.
    """
    columns = [labels, held_out.mean(axis=1)]
    if is_classification:
        many = held_out.ndim > 2
        classes = held_out.argmax(axis=2) if many else np.round(held_out).astype(int)
        columns[1] = (held_out.max(axis=2) if many else held_out).mean(axis=1)
        columns.append(np.array([np.bincount(row).argmax() for row in classes]))
    directory = opt_ml("output", "data")
    os.makedirs(directory, exist_ok=True)
    path = os.path.join(directory, PREDICTIONS)
    logging.info("Storing predictions on validation set(s) in %s", path)
    np.savetxt(path, np.column_stack(columns), delimiter=",", fmt="%f")
