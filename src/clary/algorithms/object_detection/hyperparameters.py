"""As docs.aws.amazon.com/sagemaker/latest/dg/object-detection-api-config.html has them."""

import re
from collections.abc import Mapping
from typing import Any

from clary.algorithms.hyperparameters import Hyperparameter, Interval
from clary.algorithms.kit.parameters import POSITIVE, boolean, category, continuous, integer, refuse

OPEN = Interval(0, 1, low_open=True, high_open=True)
UP_TO_ONE = Interval(0, 1, low_open=True)
UNIT = Interval(0, 1)
SWITCH = Interval(0, 1)


class _Epochs:
    def __contains__(self, value: object) -> bool:
        return isinstance(value, int) and value > 0

    def __str__(self) -> str:
        return "epochs, with commas between"


class _Texts:
    def __contains__(self, value: object) -> bool:
        return isinstance(value, str)


def _numbers(given: str) -> list[int]:
    return [int(part) for part in given.split(",") if part.strip()]


def _check_pattern(pattern: str, _given: Mapping[str, Any]) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        raise refuse("freeze_layer_pattern", pattern, f"expects a regular expression ({error})") from error


HYPERPARAMETERS = (
    integer("num_classes", POSITIVE, required=True),
    integer("num_training_samples", POSITIVE, required=True),
    category("base_network", "vgg-16", "resnet-50", default="vgg-16"),
    boolean("early_stopping", default=False),
    integer("early_stopping_min_epochs", POSITIVE, default=10),
    integer("early_stopping_patience", POSITIVE, default=5),
    continuous("early_stopping_tolerance", UNIT, default=0.0),
    integer("image_shape", Interval(300), default=300),
    integer("epochs", POSITIVE, default=30),
    Hyperparameter("freeze_layer_pattern", str, _Texts(), default="", check=_check_pattern),
    category("kv_store", "dist_sync", "dist_async"),
    integer("label_width", POSITIVE, default=350),
    continuous("learning_rate", UP_TO_ONE, default=0.001),
    continuous("lr_scheduler_factor", OPEN, default=0.1),
    Hyperparameter("lr_scheduler_step", _numbers, _Epochs(), default=[]),
    integer("mini_batch_size", POSITIVE, default=32),
    continuous("momentum", UP_TO_ONE, default=0.9),
    continuous("nms_threshold", UP_TO_ONE, default=0.45),
    category("optimizer", "sgd", "adam", "rmsprop", "adadelta", default="sgd"),
    continuous("overlap_threshold", UP_TO_ONE, default=0.5),
    integer("use_pretrained_model", SWITCH, default=1),
    continuous("weight_decay", OPEN, default=0.0005),
)
