"""IP Insights: from which addresses which entities are to be expected."""

from typing import TYPE_CHECKING, Any, NoReturn

from clary.algorithms.ipinsights.hyperparameters import HYPERPARAMETERS
from clary.algorithms.kit.channels import CSV, Takes
from clary.algorithms.kit.job import Job

if TYPE_CHECKING:
    from clary.toolkits.models import Service

MODES = ("File", "FastFile")


class IpInsights:
    name = "ipinsights"
    hyperparameters = HYPERPARAMETERS
    channels = (Takes("train", (CSV,), required=True, modes=MODES), Takes("validation", (CSV,), modes=MODES))

    def train(self, job: Job) -> None:
        from clary.algorithms.ipinsights.events import prepare

        events = prepare(job)
        from clary.algorithms.ipinsights.training import train  # With torch, which takes seconds.

        train(job, events)

    def load(self, directory: str) -> NoReturn:
        raise NotImplementedError("IP Insights is asked for entities and addresses, not for rows of features.")

    def service(self) -> "Service":
        from clary.algorithms.ipinsights.serving import EventService

        return EventService()


ALGORITHM: Any = IpInsights()
