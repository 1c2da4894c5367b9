"""DeepAR: forecasts of many like time series by one recurrent network."""

from typing import TYPE_CHECKING

from clary.algorithms.forecasting_deepar.hyperparameters import HYPERPARAMETERS
from clary.algorithms.kit.base import Algorithm
from clary.algorithms.kit.channels import Takes
from clary.algorithms.kit.job import Job

if TYPE_CHECKING:
    from clary.toolkits.models import Service

CONTENT_TYPES = ("auto", "json", "json.gz", "parquet", "application/jsonlines")
"""AWS takes the format from a file's name where the channel names none."""


class DeepAr(Algorithm):
    name = "forecasting-deepar"
    hyperparameters = HYPERPARAMETERS
    channels = (
        Takes("train", CONTENT_TYPES, required=True, modes=("File", "FastFile")),
        Takes("test", CONTENT_TYPES, modes=("File", "FastFile")),
    )

    def train(self, job: Job) -> None:
        from clary.algorithms.forecasting_deepar.dataset import prepare

        series, shape = prepare(job)
        from clary.algorithms.forecasting_deepar.training import train  # With torch, which takes seconds.

        train(job, series, shape)

    def service(self) -> "Service":
        from clary.algorithms.forecasting_deepar.serving import DeepArService

        return DeepArService()


ALGORITHM = DeepAr()
