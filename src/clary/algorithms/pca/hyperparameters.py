"""As "PCA Hyperparameters" (docs.aws.amazon.com/sagemaker/latest/dg/PCA-reference.html) has them."""

from collections.abc import Mapping
from typing import Any

from clary.algorithms.hyperparameters import Interval
from clary.algorithms.kit.parameters import POSITIVE, boolean, category, integer, refuse


def _at_most_all(value: int, values: Mapping[str, Any]) -> None:
    if value > values["feature_dim"]:
        raise refuse("num_components", value, f"expects at most feature_dim, which is {values['feature_dim']}")


HYPERPARAMETERS = (
    integer("feature_dim", POSITIVE, required=True),
    integer("mini_batch_size", POSITIVE, required=True),
    integer("num_components", POSITIVE, required=True, check=_at_most_all),
    category("algorithm_mode", "regular", "randomized", default="regular"),
    integer("extra_components", Interval(-1), default=-1),
    boolean("subtract_mean", default=True),
)
