"""Image Classification (`image-classification`): which of some classes a picture is of, or which several."""

from typing import TYPE_CHECKING

from clary.algorithms.image_classification.hyperparameters import HYPERPARAMETERS
from clary.algorithms.kit.base import Algorithm
from clary.algorithms.kit.channels import Takes
from clary.algorithms.kit.job import Job
from clary.algorithms.vision.examples import FILES, LISTED, RECORDIO

if TYPE_CHECKING:
    from clary.toolkits.models import Service


class ImageClassification(Algorithm):
    name = "image-classification"
    hyperparameters = HYPERPARAMETERS
    channels = (
        Takes("train", (RECORDIO, *FILES), required=True),
        Takes("validation", (RECORDIO, *FILES)),
        Takes(f"train{LISTED}", (*FILES, "text/plain")),
        Takes(f"validation{LISTED}", (*FILES, "text/plain")),
        Takes("model", ("application/x-sagemaker-model",)),
    )

    def train(self, job: Job) -> None:
        from clary.algorithms.image_classification.training import Classification  # With torch, which takes seconds.
        from clary.algorithms.vision.training import Training

        Training(job, Classification(job)).run()

    def service(self) -> "Service":
        from clary.algorithms.image_classification.serving import PictureService

        return PictureService()


ALGORITHM = ImageClassification()
