"""Semantic Segmentation (`semantic-segmentation`): of which class each pixel of a picture is."""

from typing import TYPE_CHECKING

from clary.algorithms.kit.base import Algorithm
from clary.algorithms.kit.channels import Takes
from clary.algorithms.kit.job import Job
from clary.algorithms.semantic_segmentation.hyperparameters import HYPERPARAMETERS
from clary.algorithms.vision.examples import FILES, IMAGE, RECORDIO

if TYPE_CHECKING:
    from clary.toolkits.models import Service


class SemanticSegmentation(Algorithm):
    name = "semantic-segmentation"
    hyperparameters = HYPERPARAMETERS
    channels = (
        Takes("train", (*FILES, RECORDIO), required=True),
        Takes("validation", (*FILES, RECORDIO), required=True),
        Takes("train_annotation", ("image/png", IMAGE), modes=("File", "FastFile")),
        Takes("validation_annotation", ("image/png", IMAGE), modes=("File", "FastFile")),
        Takes("label_map", ("application/json",), modes=("File", "FastFile")),
        Takes("model", ("application/x-sagemaker-model",), modes=("File", "FastFile")),
    )

    def train(self, job: Job) -> None:
        from clary.algorithms.semantic_segmentation.training import Segmentation  # With torch, which takes seconds.
        from clary.algorithms.vision.training import Training

        Training(job, Segmentation(job)).run()

    def service(self) -> "Service":
        from clary.algorithms.semantic_segmentation.serving import MaskService

        return MaskService()


ALGORITHM = SemanticSegmentation()
