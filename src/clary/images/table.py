"""The images that Clary knows, and what runs in place of each.

An image URI of AWS's registries is `<account>.dkr.ecr.<region>.amazonaws.com/<repository>:<tag>`. Account and region
vary with the user; the repository says which framework is meant, and the tag its version (`recipes`).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from clary.images.algorithms import ALGORITHMS, Algorithm
from clary.images.recipes import (
    BASE_PYTHON,
    DATA_SCIENCE,
    HUGGINGFACE,
    PYTORCH,
    SCIKIT_LEARN,
    SPARK,
    TENSORFLOW,
    XGBOOST,
    Family,
)
from clary.instance.environments.recipe import Recipe

URI = re.compile(r"^(?:[^/]+/)?(?P<repository>[a-z0-9][a-z0-9._/-]*?)(?::(?P<tag>[\w.-]+))?(?:@sha256:[0-9a-f]{64})?$")

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
    family: Family
    """What its environment is made of."""
    script_train: Command | None = None
    script_serve: Command | None = None
    algorithm_train: Command | None = None
    algorithm_serve: Command | None = None
    programs: tuple[tuple[str, Command], ...] = ()
    """What an entrypoint may name, and runs in its place."""
    algorithm_metrics: tuple[tuple[str, str], ...] = ()
    """(name, regular expression) of each metric that the algorithm prints, as AWS publishes them for its image."""


def _xgboost_metrics() -> tuple[tuple[str, str], ...]:
    return tuple(
        (f"{channel}:{metric}", XGBOOST_METRIC_REGEX.format(channel=channel, metric=metric))
        for channel in ("train", "validation")
        for metric in XGBOOST_METRICS
    )


def _server(repository: str, family: Family, framework: str) -> Image:
    """An image that serves with a script and without one."""
    command = ("-m", "clary.toolkits.serve", "--framework", framework)
    return Image(repository, family, script_serve=command, algorithm_serve=command)


def _algorithm(algorithm: Algorithm) -> Image:
    command = ("-m", "clary.algorithms", algorithm.name)
    return Image(
        repository=algorithm.name,
        family=algorithm.family,
        algorithm_train=(*command, "train"),
        algorithm_serve=(*command, "serve"),
        algorithm_metrics=algorithm.metrics,
    )


IMAGES = (
    Image(
        repository="sagemaker-scikit-learn",
        family=SCIKIT_LEARN,
        script_train=("-m", "clary.toolkits.train"),
        script_serve=("-m", "clary.toolkits.serve", "--framework", "sklearn"),
    ),
    Image(
        repository="sagemaker-xgboost",
        family=XGBOOST,
        script_train=("-m", "clary.toolkits.train"),
        script_serve=("-m", "clary.toolkits.serve", "--framework", "xgboost"),
        algorithm_train=("-m", "clary.algorithms.xgboost", "train"),
        algorithm_serve=("-m", "clary.algorithms.xgboost", "serve"),
        algorithm_metrics=_xgboost_metrics(),
    ),
    Image(
        repository="xgboost",
        family=XGBOOST,
        algorithm_train=("-m", "clary.algorithms.xgboost", "train"),
        algorithm_serve=("-m", "clary.algorithms.xgboost", "serve"),
        algorithm_metrics=_xgboost_metrics(),
    ),
    Image("pytorch-training", PYTORCH, script_train=("-m", "clary.toolkits.train")),
    Image("tensorflow-training", TENSORFLOW, script_train=("-m", "clary.toolkits.train")),
    Image("huggingface-pytorch-training", HUGGINGFACE, script_train=("-m", "clary.toolkits.train")),
    _server("pytorch-inference", PYTORCH, "pytorch"),
    _server("tensorflow-inference", TENSORFLOW, "tensorflow"),
    _server("huggingface-pytorch-inference", HUGGINGFACE, "huggingface"),
    Image("sagemaker-spark-processing", SPARK, programs=(("smspark-submit", ("-m", "clary.toolkits.spark")),)),
    Image("sagemaker-base-python", BASE_PYTHON),
    Image("sagemaker-base-python-310", BASE_PYTHON),
    Image("sagemaker-data-science", DATA_SCIENCE),
    Image("sagemaker-data-science-310", DATA_SCIENCE),
    Image("sagemaker-data-science-311", DATA_SCIENCE),
    *map(_algorithm, ALGORITHMS),
)

RETIRED = {
    "chainer": "Chainer has had no release since 2022: use PyTorch, which its authors moved to (pytorch-training)",
    "mxnet": "Apache MXNet was retired in 2023: use PyTorch (pytorch-training) or TensorFlow (tensorflow-training)",
}
"""Frameworks at the end of their life → what to use instead."""


class UnknownImage(Exception):
    """No image of the table answers to the URI. The text is for the user."""


def find_image(uri: str) -> Image:
    """The image of a registry URI; raises `UnknownImage` with a reason that lists those that are known."""
    repository, _ = _split(uri)
    for image in IMAGES:
        if image.repository == repository:
            return image
    for framework, instead in RETIRED.items():
        if framework in repository.split("/")[-1].split("-"):
            raise UnknownImage(f"Clary has no image for {uri}. {instead}.")
    known = ", ".join(image.repository for image in IMAGES)
    raise UnknownImage(
        f"Clary has no image for {uri}. It knows the repositories {known}, with any account, region and tag."
    )


def find_recipe(uri: str) -> Recipe:
    """What the environment of the image is made of; raises `UnknownImage`."""
    return find_image(uri).family.recipe(*_split(uri))


def _split(uri: str) -> tuple[str, str]:
    """Repository and tag."""
    match = URI.match(uri)
    return (match["repository"], match["tag"] or "") if match else (uri, "")


def entrypoint_command(image: Image, entrypoint: Sequence[str]) -> list[str]:
    """The argv of an entrypoint: a program that the image of that name has is Clary's own."""
    program = dict(image.programs).get(entrypoint[0])
    return ["python", *program, *entrypoint[1:]] if program else list(entrypoint)


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
    if script is None and algorithm is None:
        raise UnknownImage(f"The image {image.repository} has no program for this yet.")
    if scripted:
        raise UnknownImage(
            f"The image {image.repository} is a built-in algorithm and runs no script: leave the {how} out."
        )
    raise UnknownImage(f"The image {image.repository} runs scripts and was given none: name one in the {how}.")
