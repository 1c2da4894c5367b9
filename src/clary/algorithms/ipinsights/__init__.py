"""IP Insights: from which addresses which entities are to be expected."""

from typing import TYPE_CHECKING

from clary.algorithms.ipinsights.hyperparameters import HYPERPARAMETERS
from clary.algorithms.kit.base import Algorithm
from clary.algorithms.kit.channels import CSV, Takes
from clary.algorithms.kit.job import Job

if TYPE_CHECKING:
    from clary.toolkits.models import Service

MODES = ("File", "FastFile")


class IpInsights(Algorithm):
    name = "ipinsights"
    hyperparameters = HYPERPARAMETERS
    channels = (Takes("train", (CSV,), required=True, modes=MODES), Takes("validation", (CSV,), modes=MODES))

    def train(self, job: Job) -> None:
        from clary.algorithms.ipinsights.events import prepare

        events = prepare(job)
        from clary.algorithms.ipinsights.training import train  # With torch, which takes seconds.

        train(job, events)

    def service(self) -> "Service":
        from clary.algorithms.ipinsights.serving import EventService

        return EventService()


ALGORITHM = IpInsights()
