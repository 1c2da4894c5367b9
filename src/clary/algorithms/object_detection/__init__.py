"""Object Detection (`object-detection`): what is where in a picture, by a single-shot detector (SSD)."""

from typing import TYPE_CHECKING

from clary.algorithms.kit.base import Algorithm
from clary.algorithms.kit.channels import Takes
from clary.algorithms.kit.job import Job
from clary.algorithms.object_detection.hyperparameters import HYPERPARAMETERS
from clary.algorithms.vision.examples import FILES, RECORDIO

if TYPE_CHECKING:
    from clary.toolkits.models import Service

TYPES = (RECORDIO, *FILES)


class ObjectDetection(Algorithm):
    name = "object-detection"
    hyperparameters = HYPERPARAMETERS
    channels = (
        Takes("train", TYPES, required=True),
        Takes("validation", TYPES, required=True),
        Takes("train_annotation", (*TYPES, "application/json"), modes=("File", "FastFile")),
        Takes("validation_annotation", (*TYPES, "application/json"), modes=("File", "FastFile")),
        Takes("model", ("application/x-sagemaker-model",), modes=("File", "FastFile")),
    )

    def train(self, job: Job) -> None:
        from clary.algorithms.object_detection.training import Detection  # With torch, which takes seconds.
        from clary.algorithms.vision.training import Training

        Training(job, Detection(job)).run()

    def service(self) -> "Service":
        from clary.algorithms.object_detection.serving import DetectionService

        return DetectionService()


ALGORITHM = ObjectDetection()
