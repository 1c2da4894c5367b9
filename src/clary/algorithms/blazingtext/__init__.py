"""BlazingText: word vectors and text classification, by fastText."""

from typing import TYPE_CHECKING, Any, NoReturn

from clary.algorithms.blazingtext.hyperparameters import HYPERPARAMETERS
from clary.algorithms.kit.channels import Takes
from clary.algorithms.kit.job import Job

if TYPE_CHECKING:
    from clary.toolkits.models import Service

CONTENT_TYPES = ("text/plain", "application/jsonlines", "application/x-recordio")


class BlazingText:
    name = "blazingtext"
    hyperparameters = HYPERPARAMETERS
    channels = (
        Takes("train", CONTENT_TYPES, required=True, distributions=("FullyReplicated",)),
        Takes("validation", CONTENT_TYPES, distributions=("FullyReplicated",)),
    )

    def train(self, job: Job) -> None:
        from clary.algorithms.blazingtext.training import train

        train(job)

    def load(self, directory: str) -> NoReturn:
        raise NotImplementedError("BlazingText is asked for texts, not for rows of features.")

    def service(self) -> "Service":
        from clary.algorithms.blazingtext.serving import BlazingTextService

        return BlazingTextService()


ALGORITHM: Any = BlazingText()
