"""As docs.aws.amazon.com/sagemaker/latest/dg/segmentation-hyperparameters.html has them."""

from clary.algorithms.hyperparameters import Hyperparameter, Interval
from clary.algorithms.kit.parameters import POSITIVE, boolean, category, continuous, integer

UNIT = Interval(0, 1)
SIDE = Interval(17)


class _Epochs:
    def __contains__(self, value: object) -> bool:
        return isinstance(value, int) and value > 0

    def __str__(self) -> str:
        return "epochs, with commas between"


def _numbers(given: str) -> list[int]:
    return [int(part) for part in given.split(",") if part.strip()]


HYPERPARAMETERS = (
    category("backbone", "resnet-50", "resnet-101", default="resnet-50"),
    boolean("use_pretrained_model", default=True),
    category("algorithm", "fcn", "psp", "deeplab", default="fcn"),
    integer("num_classes", Interval(2, 254), required=True),
    integer("num_training_samples", POSITIVE, required=True),
    integer("base_size", SIDE, default=520),
    integer("crop_size", SIDE, default=240),
    boolean("early_stopping", default=False),
    integer("early_stopping_min_epochs", Interval(0), default=5),
    integer("early_stopping_patience", Interval(0), default=4),
    continuous("early_stopping_tolerance", UNIT, default=0.0),
    integer("epochs", POSITIVE, default=10),
    continuous("gamma1", UNIT, default=0.9),
    continuous("gamma2", UNIT, default=0.9),
    continuous("learning_rate", Interval(0, 1, low_open=True), default=0.001),
    category("lr_scheduler", "step", "poly", "cosine", default="poly"),
    continuous("lr_scheduler_factor", UNIT, default=0.1),
    Hyperparameter("lr_scheduler_step", _numbers, _Epochs(), default=[]),
    integer("mini_batch_size", POSITIVE, default=16),
    continuous("momentum", Interval(0, 1, low_open=True), default=0.9),
    category("optimizer", "adam", "adagrad", "nag", "rmsprop", "sgd", default="sgd"),
    boolean("syncbn", default=False),
    integer("validation_mini_batch_size", POSITIVE, default=16),
    continuous("weight_decay", Interval(0, 1, low_open=True, high_open=True), default=0.0001),
)
