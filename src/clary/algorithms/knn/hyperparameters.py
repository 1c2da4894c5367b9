"""As "k-NN Hyperparameters" (docs.aws.amazon.com/sagemaker/latest/dg/kNN_hyperparameters.html) has them."""

from collections.abc import Mapping
from typing import Any

from clary.algorithms.errors import UserError
from clary.algorithms.kit.parameters import AUTO, CAUSED, POSITIVE, category, integer, refuse

FLAT, IVF_FLAT, IVF_PQ = "faiss.Flat", "faiss.IVFFlat", "faiss.IVFPQ"
CLASSIFIER, REGRESSOR = "classifier", "regressor"
L2, INNER_PRODUCT, COSINE = "L2", "INNER_PRODUCT", "COSINE"
PARTS = (1, 2, 3, 4, 8, 12, 16, 20, 24, 28, 32, 40, 48, 56, 64, 96)
"""Sub-vectors that product quantization may have."""


def _less_than_all(value: int, values: Mapping[str, Any]) -> None:
    if value >= values["feature_dim"]:
        raise refuse(
            "dimension_reduction_target", value, f"expects less than feature_dim, which is {values['feature_dim']}"
        )


def _with_target(_value: str, values: Mapping[str, Any]) -> None:
    if values["dimension_reduction_target"] is None:
        raise UserError(
            "No value(s) were specified for 'dimension_reduction_target' which are required hyperparameter(s) with "
            f"dimension_reduction_type {CAUSED}"
        )


def _allowed_parts(value: int | str, _values: Mapping[str, Any]) -> None:
    if value not in (AUTO, *PARTS):
        raise refuse("faiss_index_pq_m", value, f"accepts one of the following: {', '.join(map(str, PARTS))}")


def _metric_of_index(value: str, values: Mapping[str, Any]) -> None:
    if values["index_type"] == IVF_PQ and value != L2:
        raise refuse("index_metric", value, f"expects {L2!r} where index_type is {IVF_PQ}")


HYPERPARAMETERS = (
    integer("feature_dim", POSITIVE, required=True),
    integer("k", POSITIVE, required=True),
    category("predictor_type", CLASSIFIER, REGRESSOR, required=True),
    integer("sample_size", POSITIVE, required=True),
    category("dimension_reduction_type", "sign", "fjlt", check=_with_target),
    integer("dimension_reduction_target", POSITIVE, check=_less_than_all),
    category("index_type", FLAT, IVF_FLAT, IVF_PQ, default=FLAT),
    category("index_metric", L2, INNER_PRODUCT, COSINE, default=L2, check=_metric_of_index),
    integer("faiss_index_ivf_nlists", POSITIVE, default=AUTO),
    integer("faiss_index_pq_m", POSITIVE, default=AUTO, check=_allowed_parts),
    integer("mini_batch_size", POSITIVE, default=5000),
)
