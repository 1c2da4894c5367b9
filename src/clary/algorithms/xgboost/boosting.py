"""One call of `xgboost.train`, set up from the job's hyperparameters."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from clary.algorithms.errors import AlgorithmError, UserError
from clary.algorithms.xgboost.callbacks import EvaluationLog
from clary.algorithms.xgboost.hyperparameters import MAXIMIZED, RETIRED
from clary.algorithms.xgboost.legacy import Patience, called_after_each_round
from clary.algorithms.xgboost.library import RELEASE, xgboost
from clary.algorithms.xgboost.metrics import SCORES, Evaluate, evaluation_of

OURS = frozenset(
    {
        "_kfold",
        "_num_cv_round",
        "_tuning_objective_metric",
        "csv_weights",
        "early_stopping_rounds",
        "eval_metric",
        "num_round",
        "save_model_on_termination",
    }
)
"""Hyperparameters that are not XGBoost's own parameters."""

DOCUMENTED_DEFAULTS: dict[str, Any] = {"base_score": 0.5}
"""Where the documented default differs from that of the xgboost that runs, which would estimate it from the labels."""

USER_MISTAKES = (
    "label must be",
    "Target is multiclass but average='binary'",
    "feature_names mismatch",
    "preds.size() == info.labels",
    "the dataset only contains pos or neg samples",
    "base_score must be in",
    "should be greater equal to 0",
)
"""What XGBoost and scikit-learn say where the data or a hyperparameter is at fault."""


@dataclass(frozen=True, slots=True)
class Boosting:
    parameters: dict[str, Any]
    rounds: int
    evaluate: Evaluate | None
    patience: int | None
    """Rounds without improvement on the validation data after which training ends."""
    watched: str | None
    """Metric that must improve; None is the last one."""

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> "Boosting":
        tuned = given.get("_tuning_objective_metric", "").partition(":")[2]
        asked: list[str] = given.get("eval_metric", [])
        metrics = sorted({*asked, tuned}) if tuned else asked
        retired = RETIRED if RELEASE >= (2, 0) else frozenset()
        parameters = DOCUMENTED_DEFAULTS | {name: value for name, value in given.items() if name not in OURS | retired}
        if known := [name for name in metrics if name not in SCORES]:
            parameters["eval_metric"] = known
        for name in ("updater", "monotone_constraints"):
            if isinstance(value := parameters.get(name), list):
                parameters[name] = ",".join(value) if name == "updater" else tuple(value)
        for name in sorted(retired & given.keys()):
            logging.warning("Hyperparameter %s has no effect in XGBoost %s.", name, xgboost.__version__)
        return cls(
            parameters=parameters,
            rounds=given["num_round"],
            evaluate=evaluation_of(metrics),
            patience=given.get("early_stopping_rounds"),
            watched=tuned or (asked[-1] if asked else None),
        )

    def run(
        self,
        train: "xgboost.DMatrix",
        validation: "xgboost.DMatrix | None",
        callbacks: list[Any],
        model: "xgboost.Booster | None" = None,
        rounds_done: int = 0,
    ) -> tuple["xgboost.Booster", EvaluationLog]:
        """Train, from `model` on where there is one. Errors are told apart: the user's and ours."""
        watched = [(train, "train"), *([(validation, "validation")] if validation is not None else [])]
        if self.patience and validation is not None:
            callbacks = [*callbacks, self._early_stopping()]
        if RELEASE < (1, 3):
            callbacks = [called_after_each_round(callbacks)]
        log: EvaluationLog = {}
        try:
            booster = xgboost.train(
                self.parameters,
                train,
                num_boost_round=self.rounds - rounds_done,
                evals=watched,
                evals_result=log,
                callbacks=callbacks,
                xgb_model=model,
                verbose_eval=False,
                **{"custom_metric" if RELEASE >= (1, 6) else "feval": self.evaluate},
            )
        except (ValueError, xgboost.core.XGBoostError) as error:
            reason = str(error).partition("\nStack trace")[0].strip()
            if any(mistake in reason for mistake in USER_MISTAKES):
                raise UserError(reason) from error
            raise AlgorithmError(f"XGB train call failed with exception:\n {reason}") from error
        return booster, log

    def _early_stopping(self) -> Any:
        if RELEASE < (1, 3):
            assert self.patience
            return Patience(self.patience, self.watched, MAXIMIZED)
        return xgboost.callback.EarlyStopping(
            rounds=self.patience,
            data_name="validation",
            metric_name=self.watched,
            maximize=self.watched.partition("@")[0] in MAXIMIZED if self.watched else None,
            save_best=True,
        )
