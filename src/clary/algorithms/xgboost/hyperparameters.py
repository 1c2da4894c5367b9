"""The documented hyperparameters of XGBoost on SageMaker.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/xgboost_hyperparameters.html and the checks of
`sagemaker-xgboost-container`, version 1.7-1.
"""

from collections.abc import Mapping
from typing import Any

from clary.algorithms.errors import UserError
from clary.algorithms.hyperparameters import (
    Interval,
    category,
    comma_separated,
    continuous,
    integer,
    literal,
)

MAXIMIZED = (
    "accuracy",
    "auc",
    "aucpr",
    "balanced_accuracy",
    "f1",
    "f1_binary",
    "f1_macro",
    "map",
    "ndcg",
    "precision",
    "precision_macro",
    "precision_micro",
    "r2",
    "recall",
    "recall_macro",
    "recall_micro",
)
"""Metrics of which more is better."""

MINIMIZED = (
    "aft-nloglik",
    "cox-nloglik",
    "error",
    "gamma-deviance",
    "gamma-nloglik",
    "interval-regression-accuracy",
    "logloss",
    "mae",
    "mape",
    "merror",
    "mlogloss",
    "mphe",
    "mse",
    "poisson-nloglik",
    "rmse",
    "rmsle",
    "tweedie-nloglik",
)

OBJECTIVES = (
    "binary:logistic",
    "binary:logitraw",
    "binary:hinge",
    "count:poisson",
    "multi:softmax",
    "multi:softprob",
    "rank:pairwise",
    "rank:ndcg",
    "rank:map",
    "reg:absoluteerror",
    "reg:linear",
    "reg:squarederror",
    "reg:logistic",
    "reg:gamma",
    "reg:pseudohubererror",
    "reg:squaredlogerror",
    "reg:tweedie",
    "survival:aft",
    "survival:cox",
)

TREE_BUILDERS = (
    "grow_colmaker",
    "distcol",
    "grow_histmaker",
    "grow_local_histmaker",
    "grow_quantile_histmaker",
)
LINEAR_UPDATERS = ("shotgun", "coord_descent")
REFRESHERS = ("refresh", "prune")
UPDATERS = (*TREE_BUILDERS, "grow_skmaker", "sync", *REFRESHERS, *LINEAR_UPDATERS)

POSITIVE = Interval(0, low_open=True)
NOT_NEGATIVE = Interval(0)
FROM_ONE = Interval(1)
SHARE = Interval(0, 1, low_open=True)
UNIT = Interval(0, 1)
SWITCH = ("true", "false")


class _Metrics:
    """Names of metrics, some with a threshold or a cut: `error@0.4`, `ndcg@10`."""

    def __contains__(self, metric: object) -> bool:
        name, at, threshold = str(metric).partition("@")
        if not at:
            return name in MAXIMIZED or name in MINIMIZED
        if name not in ("error", "ndcg", "map"):
            raise UserError(
                f"Metric '{metric}' is not supported. Parameter 'eval_metric' with customized threshold should "
                "be one of these options: 'error', 'ndcg', 'map'."
            )
        try:
            float(threshold.removesuffix("-"))
        except ValueError:
            raise UserError(f"Threshold value 't' in '{name}@t' expects float input.") from None
        return True

    def __str__(self) -> str:
        return str([*MAXIMIZED, *MINIMIZED])


class _TuningMetrics(_Metrics):
    """`validation:rmse`, as a tuning job names its objective."""

    def __contains__(self, metric: object) -> bool:
        segment, _, name = str(metric).partition(":")
        return segment in ("train", "validation") and super().__contains__(name)

    def __str__(self) -> str:
        return str([f"validation:{name}" for name in (*MAXIMIZED, *MINIMIZED)])


def _check_objective(objective: str, given: Mapping[str, Any]) -> None:
    if objective in ("multi:softmax", "multi:softprob") and "num_class" not in given:
        raise UserError("Require input for parameter 'num_class' for multi-classification")


def _check_num_class(_count: int, given: Mapping[str, Any]) -> None:
    if "objective" not in given:
        raise UserError("Do not need to setup parameter 'num_class' for learning task other than multi-classification.")


def _check_eval_metric(metrics: list[str], given: Mapping[str, Any]) -> None:
    objective = given.get("objective", "reg:squarederror")
    if "auc" in metrics and not objective.startswith(("binary:", "rank:", "multi:")):
        raise UserError("Metric 'auc' can only be applied for classification and ranking problems.")
    if "aft-nloglik" in metrics and objective != "survival:aft":
        raise UserError("Metric 'aft-nloglik' can only be applied for 'survival:aft' objective.")


def _check_updater(updaters: list[str], given: Mapping[str, Any]) -> None:
    if given.get("booster") == "gblinear":
        if len(updaters) != 1 or updaters[0] not in LINEAR_UPDATERS:
            raise UserError("Linear updater should be one of these options: 'shotgun', 'coord_descent'.")
    elif given.get("process_type") == "update":
        if not set(updaters) <= set(REFRESHERS):
            raise UserError("process_type 'update' can only be used with updater 'refresh' and 'prune'")
    elif set(updaters) & set(LINEAR_UPDATERS):
        raise UserError(f"Tree updater should be selected from these options: {', '.join(UPDATERS[:-2])}.")
    elif sum(updater in TREE_BUILDERS for updater in updaters) > 1:
        raise UserError(f"Only one tree grow plugin can be selected. Choose one from: {', '.join(TREE_BUILDERS)}")


def _check_tree_method(method: str, _given: Mapping[str, Any]) -> None:
    if method == "gpu_hist":
        raise UserError("GPU training is not supported: set the tree_method parameter to 'hist'.")


def _check_monotone(_signs: object, given: Mapping[str, Any]) -> None:
    if given.get("tree_method") not in ("exact", "hist"):
        raise UserError(
            "monotone_constraints can be used only when the tree_method parameter is set to either 'exact' or 'hist'."
        )


def _check_interaction(_groups: object, given: Mapping[str, Any]) -> None:
    if given.get("tree_method") not in ("exact", "hist", "approx"):
        raise UserError(
            "interaction_constraints can be used only when the tree_method parameter is set to "
            "either 'exact', 'hist' or 'approx'."
        )


HYPERPARAMETERS = (
    integer("num_round", FROM_ONE, required=True),
    integer("num_class", Interval(2), check=_check_num_class),
    category("objective", OBJECTIVES, _check_objective),
    comma_separated("eval_metric", _Metrics(), _check_eval_metric),
    category("_tuning_objective_metric", _TuningMetrics()),
    integer("early_stopping_rounds", FROM_ONE),
    integer("seed", Interval(-(2**31), 2**31 - 1, low_open=True, high_open=True)),
    integer("_kfold", Interval(2)),
    integer("_num_cv_round", FROM_ONE),
    integer("csv_weights", UNIT),
    category("save_model_on_termination", SWITCH),
    category("booster", ("gbtree", "gblinear", "dart")),
    integer("verbosity", Interval(0, 3)),
    integer("silent", UNIT),
    integer("nthread", FROM_ONE),
    continuous("eta", UNIT, alias="learning_rate"),
    continuous("gamma", NOT_NEGATIVE, alias="min_split_loss"),
    integer("max_depth", NOT_NEGATIVE),
    continuous("min_child_weight", NOT_NEGATIVE),
    continuous("max_delta_step", NOT_NEGATIVE),
    continuous("subsample", SHARE),
    category("sampling_method", ("uniform", "gradient_based")),
    continuous("colsample_bytree", SHARE),
    continuous("colsample_bylevel", SHARE),
    continuous("colsample_bynode", SHARE),
    continuous("lambda", NOT_NEGATIVE, alias="reg_lambda"),
    continuous("alpha", NOT_NEGATIVE, alias="reg_alpha"),
    continuous("lambda_bias", UNIT),
    category("tree_method", ("auto", "exact", "approx", "hist", "gpu_hist"), _check_tree_method),
    continuous("sketch_eps", Interval(0, 1, low_open=True, high_open=True)),
    continuous("scale_pos_weight", POSITIVE),
    comma_separated("updater", UPDATERS, _check_updater),
    category("dsplit", ("row", "col")),
    integer("refresh_leaf", UNIT),
    category("process_type", ("default", "update")),
    category("grow_policy", ("depthwise", "lossguide")),
    integer("max_leaves", NOT_NEGATIVE),
    integer("max_bin", NOT_NEGATIVE),
    integer("num_parallel_tree", FROM_ONE),
    category("predictor", ("auto", "cpu_predictor", "gpu_predictor")),
    literal("monotone_constraints", (-1, 0, 1), _check_monotone),
    literal("interaction_constraints", NOT_NEGATIVE, _check_interaction),
    category("sample_type", ("uniform", "weighted")),
    category("normalize_type", ("tree", "forest")),
    continuous("rate_drop", UNIT),
    integer("one_drop", UNIT),
    continuous("skip_drop", UNIT),
    continuous("tweedie_variance_power", Interval(1, 2, low_open=True, high_open=True)),
    continuous("base_score", NOT_NEGATIVE),
    category("aft_loss_distribution", ("normal", "logistic", "extreme")),
    continuous("aft_loss_distribution_scale", NOT_NEGATIVE),
    category("single_precision_histogram", SWITCH),
    category("deterministic_histogram", SWITCH),
    category("use_dask_gpu_training", SWITCH),
)

RETIRED = frozenset(
    {
        "deterministic_histogram",
        "dsplit",
        "lambda_bias",
        "predictor",
        "silent",
        "single_precision_histogram",
        "sketch_eps",
        "use_dask_gpu_training",
    }
)
"""Documented, checked, and without a meaning in the xgboost that runs: XGBoost 2 and later dropped them."""
