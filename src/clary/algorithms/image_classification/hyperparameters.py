"""As docs.aws.amazon.com/sagemaker/latest/dg/IC-Hyperparameter.html has them."""

from collections.abc import Mapping
from typing import Any

from clary.algorithms.hyperparameters import Hyperparameter, Interval
from clary.algorithms.kit.parameters import POSITIVE, boolean, category, continuous, integer, refuse

SMALL = (20, 32, 44, 56, 110)
"""Layers of networks for pictures of less than 32 pixels' height or width."""
LARGE = (18, 34, 50, 101, 152, 200)
SMALLEST_LARGE = 28
"""The guide: for pictures of at most 28 pixels' height and width the small networks, for others the large ones."""
UNIT = Interval(0, 1)
SWITCH = Interval(0, 1)


class _Listed:
    """Numbers above 0 with commas between."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __contains__(self, value: object) -> bool:
        return isinstance(value, int) and value > 0

    def __str__(self) -> str:
        return f"{self._what}, with commas between"


SHAPE = _Listed("channels, height and width")


def _numbers(given: str) -> list[int]:
    return [int(part) for part in given.split(",")]


def _check_shape(shape: list[int], _given: Mapping[str, Any]) -> None:
    if len(shape) != 3 or shape[0] not in (1, 3):
        raise refuse(
            "image_shape", ",".join(map(str, shape)), "expects 1 or 3 channels, height and width, with commas between"
        )


def _check_layers(layers: int, given: Mapping[str, Any]) -> None:
    _, height, width = given["image_shape"]
    fitting = SMALL if max(height, width) <= SMALLEST_LARGE else LARGE
    if layers not in fitting:
        known = ", ".join(map(str, fitting))
        raise refuse("num_layers", str(layers), f"accepts one of {known} for pictures of {height} x {width}")


def _check_frequency(frequency: int, given: Mapping[str, Any]) -> None:
    if frequency > given["epochs"]:
        raise refuse("checkpoint_frequency", str(frequency), f"expects at most epochs, which is {given['epochs']}")


HYPERPARAMETERS = (
    integer("num_classes", Interval(2), required=True),
    integer("num_training_samples", POSITIVE, required=True),
    Hyperparameter("image_shape", _numbers, SHAPE, default=[3, 224, 224], check=_check_shape),
    integer("num_layers", POSITIVE, default=152, check=_check_layers),
    integer("epochs", POSITIVE, default=30),
    integer("mini_batch_size", POSITIVE, default=32),
    integer("multi_label", SWITCH, default=0),
    integer("use_pretrained_model", SWITCH, default=0),
    integer("use_weighted_loss", SWITCH, default=0),
    integer("resize", POSITIVE),
    integer("top_k", Interval(2)),
    category("augmentation_type", "crop", "crop_color", "crop_color_transform"),
    category("optimizer", "sgd", "adam", "rmsprop", "nag", default="sgd"),
    continuous("learning_rate", UNIT, default=0.1),
    continuous("momentum", UNIT, default=0.9),
    continuous("weight_decay", UNIT, default=0.0001),
    continuous("beta_1", UNIT, default=0.9),
    continuous("beta_2", UNIT, default=0.999),
    continuous("gamma", UNIT, default=0.9),
    continuous("eps", UNIT, default=1e-8),
    continuous("lr_scheduler_factor", UNIT, default=0.1),
    Hyperparameter("lr_scheduler_step", _numbers, _Listed("epochs")),
    boolean("early_stopping", default=False),
    integer("early_stopping_min_epochs", POSITIVE, default=10),
    integer("early_stopping_patience", POSITIVE, default=5),
    continuous("early_stopping_tolerance", UNIT, default=0.0),
    integer("checkpoint_frequency", POSITIVE, check=_check_frequency),
    category("precision_dtype", "float32", "float16", default="float32"),
    category("kv_store", "dist_sync", "dist_async"),
)
