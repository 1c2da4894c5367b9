"""BlazingText: word vectors and text classification, by fastText."""

from typing import TYPE_CHECKING

from clary.algorithms.blazingtext.hyperparameters import HYPERPARAMETERS
from clary.algorithms.kit.base import Algorithm
from clary.algorithms.kit.channels import Takes
from clary.algorithms.kit.job import Job

if TYPE_CHECKING:
    from clary.toolkits.models import Service

CONTENT_TYPES = ("text/plain", "application/jsonlines", "application/x-recordio")


class BlazingText(Algorithm):
    name = "blazingtext"
    hyperparameters = HYPERPARAMETERS
    channels = (
        Takes("train", CONTENT_TYPES, required=True, distributions=("FullyReplicated",)),
        Takes("validation", CONTENT_TYPES, distributions=("FullyReplicated",)),
    )

    def train(self, job: Job) -> None:
        from clary.algorithms.blazingtext.training import train

        train(job)

    def service(self) -> "Service":
        from clary.algorithms.blazingtext.serving import BlazingTextService

        return BlazingTextService()


ALGORITHM = BlazingText()
