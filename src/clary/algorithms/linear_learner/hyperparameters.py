"""As "Linear learner hyperparameters" (docs.aws.amazon.com/sagemaker/latest/dg/ll_hyperparameters.html) has them, and
what the SageMaker SDK sends."""

from collections.abc import Mapping
from typing import Any

from clary.algorithms.errors import UserError
from clary.algorithms.hyperparameters import Hyperparameter, Interval
from clary.algorithms.kit.parameters import (
    AUTO,
    CAUSED,
    POSITIVE,
    boolean,
    category,
    continuous,
    integer,
    refuse,
    text,
)

BINARY, MULTICLASS, REGRESSOR = "binary_classifier", "multiclass_classifier", "regressor"
LOSSES = {
    BINARY: ("logistic", "hinge_loss"),
    MULTICLASS: ("softmax_loss",),
    REGRESSOR: (
        "squared_loss",
        "absolute_loss",
        "eps_insensitive_squared_loss",
        "eps_insensitive_absolute_loss",
        "quantile_loss",
        "huber_loss",
    ),
}
"""What each kind of predictor may be trained for; the first is its `auto`."""
OBJECTIVES = {
    "logistic": "binary_classification_cross_entropy",
    "softmax_loss": "multiclass_cross_entropy",
    "squared_loss": "mse",
}
"""What AWS's log calls a loss, where it is not by its own name."""
CRITERIA = (
    "accuracy",
    "f1",
    "f_beta",
    "precision_at_target_recall",
    "recall_at_target_precision",
    "cross_entropy_loss",
    "loss_function",
)
BALANCED = "balanced"
TUNED_FOR = "_tuning_objective_metric"
"""AWS's own, of a job of a tuning job: that tries learning rates and penalties, so that the job trains one model."""
CLASSES = Interval(3, 1_000_000)

ABOVE_ZERO = Interval(0, low_open=True)
FROM_ZERO = Interval(0)
DECAY = Interval(0, 1, high_open=True)
SHARE = Interval(0, 1, low_open=True, high_open=True)


def _check_loss(loss: str, given: Mapping[str, Any]) -> None:
    kind = given["predictor_type"]
    if loss != AUTO and loss not in LOSSES[kind]:
        known = ", ".join(map(repr, (AUTO, *LOSSES[kind])))
        raise refuse("loss", loss, f"accepts one of the following for a {kind}: {known}")


def _check_predictor(kind: str, given: Mapping[str, Any]) -> None:
    classes = given["num_classes"]
    if kind == MULTICLASS and classes is not None and classes not in CLASSES:
        raise refuse("num_classes", str(classes), f"expects an integer in {CLASSES}")
    if kind == MULTICLASS and classes is None:
        raise UserError(f"No value(s) were specified for 'num_classes' which are required hyperparameter(s) {CAUSED}")


class _Importance:
    """How much a row of the class 1 weighs against one of the class 0."""

    def __contains__(self, value: object) -> bool:
        try:
            return value in (AUTO, BALANCED) or float(str(value)) > 0
        except ValueError:
            return False

    def __str__(self) -> str:
        return f"{BALANCED!r}, {AUTO!r} or a number above 0"


HYPERPARAMETERS: tuple[Hyperparameter, ...] = (
    category("predictor_type", BINARY, MULTICLASS, REGRESSOR, required=True, check=_check_predictor),
    integer("num_classes", Interval()),  # Ignored where there are not several classes.
    integer("feature_dim", POSITIVE, default=AUTO),
    integer("mini_batch_size", POSITIVE, default=1000),
    integer("epochs", POSITIVE, default=15),
    boolean("use_bias", default=True),
    category("binary_classifier_model_selection_criteria", *CRITERIA, default="accuracy"),
    continuous("f_beta", ABOVE_ZERO, default=1.0),
    continuous("target_precision", Interval(0, 1), default=0.8),
    continuous("target_recall", Interval(0, 1), default=0.8),
    integer("accuracy_top_k", POSITIVE, default=3),
    Hyperparameter("positive_example_weight_mult", str, _Importance(), default="1.0"),
    boolean("balance_multiclass_weights", default=False),
    integer("num_models", POSITIVE, default=AUTO),
    text(TUNED_FOR, default=""),
    integer("num_calibration_samples", POSITIVE, default=AUTO),
    category("init_method", "uniform", "normal", default="uniform"),
    continuous("init_scale", ABOVE_ZERO, default=0.07),
    continuous("init_sigma", ABOVE_ZERO, default=0.01),
    continuous("init_bias", Interval(), default=0.0),
    category("optimizer", AUTO, "sgd", "adam", "rmsprop", default=AUTO),
    category("loss", AUTO, *sum(LOSSES.values(), ()), default=AUTO, check=_check_loss),
    continuous("margin", ABOVE_ZERO, default=1.0),
    continuous("quantile", SHARE, default=0.5),
    continuous("loss_insensitivity", ABOVE_ZERO, default=0.01),
    continuous("huber_delta", ABOVE_ZERO, default=1.0),
    continuous("wd", FROM_ZERO, default=AUTO),
    continuous("l1", FROM_ZERO, default=AUTO),
    continuous("learning_rate", ABOVE_ZERO, default=AUTO),
    continuous("momentum", DECAY, default=AUTO),
    continuous("beta_1", DECAY, default=AUTO),
    continuous("beta_2", DECAY, default=AUTO),
    continuous("bias_lr_mult", ABOVE_ZERO, default=AUTO),
    continuous("bias_wd_mult", FROM_ZERO, default=AUTO),
    boolean("use_lr_scheduler", default=True),
    integer("lr_scheduler_step", POSITIVE, default=AUTO),
    continuous("lr_scheduler_factor", SHARE, default=AUTO),
    continuous("lr_scheduler_minimum_lr", ABOVE_ZERO, default=AUTO),
    boolean("normalize_data", default=AUTO),
    boolean("normalize_label", default=AUTO),
    boolean("unbias_data", default=AUTO),
    boolean("unbias_label", default=AUTO),
    integer("num_point_for_scaler", POSITIVE, default=10_000),
    integer("early_stopping_patience", POSITIVE, default=3),
    continuous("early_stopping_tolerance", ABOVE_ZERO, default=0.001),
)
