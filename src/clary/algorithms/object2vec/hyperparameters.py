"""The documented hyperparameters of Object2Vec.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/object2vec-hyperparameters.html.
"""

from collections.abc import Mapping
from typing import Any

from clary.algorithms.errors import UserError
from clary.algorithms.hyperparameters import Hyperparameter, Interval
from clary.algorithms.kit.parameters import AUTO, boolean, category, continuous, integer, text

NETWORKS = ("hcnn", "bilstm", "pooled_embedding")
COMPARATORS = ("hadamard", "concat", "abs_diff")
LAYERS = {"hcnn": 4, "bilstm": 1, "pooled_embedding": 1}
"""What `auto` means."""
LAZY = ("adam", "adagrad", "sgd")
"""Optimizers that change only the rows that a batch has."""


class _Comparators:
    def __contains__(self, value: object) -> bool:
        return value in COMPARATORS

    def __str__(self) -> str:
        return f"a list of {', '.join(COMPARATORS)}"


def _names(given: str) -> list[str]:
    return [name.strip() for name in given.strip("[]").replace('"', "").replace("'", "").split(",")]


def _storage(kind: str, given: Mapping[str, Any]) -> None:
    if kind != "row_sparse":
        return
    if given["optimizer"] not in LAZY or given["weight_decay"]:
        raise UserError(
            f"token_embedding_storage_type row_sparse goes with the optimizers {', '.join(LAZY)}, without weight_decay."
        )


def _encoder(name: str) -> tuple[Hyperparameter, ...]:
    first = name == "enc0"
    return (
        integer(f"{name}_max_seq_len", Interval(1, 5000), required=first),
        integer(f"{name}_vocab_size", Interval(2, 3_000_000), required=first),
        category(f"{name}_network", *NETWORKS, *([] if first else ["enc0"]), default="hcnn" if first else "enc0"),
        integer(f"{name}_cnn_filter_width", Interval(1, 9), default=3),
        boolean(f"{name}_freeze_pretrained_embedding", default=True),
        integer(f"{name}_layers", Interval(1, 4), default=AUTO),
        text(f"{name}_pretrained_embedding_file", default=""),
        integer(f"{name}_token_embedding_dim", Interval(2, 1000), default=300),
        text(f"{name}_vocab_file", default=""),
    )


HYPERPARAMETERS = (
    *_encoder("enc0"),
    *_encoder("enc1"),
    integer("feature_dim"),  # Of no meaning here: the SDK's class sends it.
    integer("bucket_width", Interval(0, 100), default=0),
    Hyperparameter("comparator_list", _names, _Comparators(), default=list(COMPARATORS)),
    continuous("dropout", Interval(0, 1), default=0.0),
    integer("early_stopping_patience", Interval(1, 5), default=3),
    continuous("early_stopping_tolerance", Interval(1e-6, 0.1), default=0.01),
    integer("enc_dim", Interval(4, 10_000), default=4096),
    integer("epochs", Interval(1, 100), default=30),
    continuous("learning_rate", Interval(1e-6, 1), default=0.0004),
    integer("mini_batch_size", Interval(1, 10_000), default=32),
    category("mlp_activation", "tanh", "relu", "linear", default="linear"),
    integer("mlp_dim", Interval(2, 10_000), default=512),
    integer("mlp_layers", Interval(0, 10), default=2),
    integer("negative_sampling_rate", Interval(0), default=0),
    integer("num_classes", Interval(2, 30), default=2),
    category("optimizer", "adadelta", "adagrad", "adam", "sgd", "rmsprop", default="adam"),
    category("output_layer", "softmax", "mean_squared_error", default="softmax"),
    boolean("tied_token_embedding_weight", default=False),
    category("token_embedding_storage_type", "dense", "row_sparse", default="dense", check=_storage),
    continuous("weight_decay", Interval(0, 10_000), default=0.0),
)


def encoder_settings(given: Mapping[str, Any], name: str) -> dict[str, Any]:
    """What an encoder is like, by names without its prefix; raises `UserError` where something of enc1 is missing."""
    if name == "enc1" and given["enc1_network"] == "enc0":
        return encoder_settings(given, "enc0")
    settings = {key.removeprefix(f"{name}_"): value for key, value in given.items() if key.startswith(f"{name}_")}
    missing = [f"{name}_{key}" for key in ("max_seq_len", "vocab_size") if settings[key] is None]
    if missing:
        raise UserError(f"{' and '.join(missing)} must be given where enc1_network is {settings['network']}.")
    if settings["layers"] == AUTO:
        settings["layers"] = LAYERS[settings["network"]]
    return settings
