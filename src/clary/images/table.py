"""The images that Clary knows, and what runs in place of each.

An image URI of AWS's registries is `<account>.dkr.ecr.<region>.amazonaws.com/<repository>:<tag>`. Account, region and
tag vary with the user's region and the framework's version; the repository alone says what is meant. The
framework that runs is the one installed beside Clary, whatever version the tag names.
"""

import importlib.util
import re
from collections.abc import Mapping
from dataclasses import dataclass

URI = re.compile(r"^(?:[^/]+/)?(?P<repository>[a-z0-9][a-z0-9._/-]*?)(?::[\w.-]+)?(?:@sha256:[0-9a-f]{64})?$")

XGBOOST_METRICS = (
    "accuracy", "auc", "aucpr", "balanced_accuracy", "error", "f1", "f1_binary", "f1_macro", "gamma-deviance",
    "gamma-nloglik", "logloss", "mae", "map", "mape", "merror", "mlogloss", "mse", "ndcg", "poisson-nloglik",
    "precision", "recall", "rmse", "rmsle", "tweedie-nloglik",
)  # fmt: skip
XGBOOST_METRIC_REGEX = r".*\[[0-9]+\].*#011{channel}-{metric}:([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?).*"

Command = tuple[str, ...]
"""Arguments of the image's python: `("-m", "clary.toolkits.train")`."""


@dataclass(frozen=True, slots=True)
class Image:
    repository: str
    modules: tuple[str, ...]
    """Python modules that must be importable; they come with the extra `clary[images]`."""
    script_train: Command | None = None
    script_serve: Command | None = None
    algorithm_train: Command | None = None
    algorithm_serve: Command | None = None
    algorithm_metrics: tuple[tuple[str, str], ...] = ()
    """(name, regular expression) of each metric that the algorithm prints, as AWS publishes them for its image."""


def _xgboost_metrics() -> tuple[tuple[str, str], ...]:
    return tuple(
        (f"{channel}:{metric}", XGBOOST_METRIC_REGEX.format(channel=channel, metric=metric))
        for channel in ("train", "validation")
        for metric in XGBOOST_METRICS
    )


IMAGES = (
    Image(
        repository="sagemaker-scikit-learn",
        modules=("sklearn", "pandas"),
        script_train=("-m", "clary.toolkits.train"),
        script_serve=("-m", "clary.toolkits.serve", "--framework", "sklearn"),
    ),
    Image(
        repository="sagemaker-xgboost",
        modules=("xgboost",),
        script_train=("-m", "clary.toolkits.train"),
        script_serve=("-m", "clary.toolkits.serve", "--framework", "xgboost"),
        algorithm_train=("-m", "clary.algorithms.xgboost", "train"),
        algorithm_serve=("-m", "clary.algorithms.xgboost", "serve"),
        algorithm_metrics=_xgboost_metrics(),
    ),
    Image(
        repository="xgboost",
        modules=("xgboost",),
        algorithm_train=("-m", "clary.algorithms.xgboost", "train"),
        algorithm_serve=("-m", "clary.algorithms.xgboost", "serve"),
        algorithm_metrics=_xgboost_metrics(),
    ),
)


class UnknownImage(Exception):
    """No image of the table answers to the URI, or what it needs is not installed. The text is for the user."""


def find_image(uri: str) -> Image:
    """The image of a registry URI; raises `UnknownImage` with a reason that lists those that are known."""
    match = URI.match(uri)
    repository = match["repository"] if match else uri
    for image in IMAGES:
        if image.repository == repository:
            _require_modules(image)
            return image
    known = ", ".join(image.repository for image in IMAGES)
    raise UnknownImage(
        f"Clary has no image for {uri}. It knows the repositories {known}, with any account, region and tag."
    )


def train_command(image: Image, hyperparameters: Mapping[str, str], environment: Mapping[str, str]) -> Command:
    """Script mode where the job names a program, the built-in algorithm otherwise."""
    scripted = runs_script(hyperparameters, environment)
    return _choose(image, scripted, image.script_train, image.algorithm_train, "hyperparameter sagemaker_program")


def runs_script(hyperparameters: Mapping[str, str], environment: Mapping[str, str]) -> bool:
    """Whether a training job brings a program of its own."""
    return "sagemaker_program" in hyperparameters or "SAGEMAKER_PROGRAM" in environment


def serve_command(image: Image, environment: Mapping[str, str]) -> Command:
    scripted = "SAGEMAKER_PROGRAM" in environment
    return _choose(image, scripted, image.script_serve, image.algorithm_serve, "environment variable SAGEMAKER_PROGRAM")


def _choose(image: Image, scripted: bool, script: Command | None, algorithm: Command | None, how: str) -> Command:
    chosen = script if scripted else algorithm
    if chosen is not None:
        return chosen
    if scripted:
        raise UnknownImage(
            f"The image {image.repository} is a built-in algorithm and runs no script: leave the {how} out."
        )
    raise UnknownImage(f"The image {image.repository} runs scripts and was given none: name one in the {how}.")


def _require_modules(image: Image) -> None:
    missing = [module for module in image.modules if importlib.util.find_spec(module) is None]
    if missing:
        raise UnknownImage(
            f"The image {image.repository} needs the Python modules {', '.join(missing)}, which are not installed "
            "beside Clary: pip install 'clary[images]'."
        )
