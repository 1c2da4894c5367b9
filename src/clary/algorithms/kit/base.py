"""The contract of an algorithm: what it declares, how it trains, and what serves."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from clary.algorithms.hyperparameters import Hyperparameter

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from clary.algorithms.kit.batches import Batch
    from clary.algorithms.kit.channels import Takes
    from clary.algorithms.kit.job import Job
    from clary.toolkits.models import Service

Columns = dict[str, "NDArray[Any]"]
"""What is told of each row, by AWS's names, in their order: a number (shape `rows`) or several (`rows, n`)."""


class Model(Protocol):
    @property
    def feature_dim(self) -> int:
        """What a request's rows must have."""
        ...

    def predict(self, batch: "Batch", options: Mapping[str, str]) -> Columns:
        """`options` are the parameters of the Accept header: `verbose=true`. Raises `UserError` for bad rows."""
        ...


class Algorithm(Protocol):
    """One object for each algorithm, `ALGORITHM` of its package. It holds nothing of a job or a model."""

    name: str
    """Its repository in AWS's registries."""
    hyperparameters: Sequence[Hyperparameter]
    channels: "Sequence[Takes]"

    def train(self, job: "Job") -> None:
        """Leave a model in `job.model_directory`; only the instance that leads the team writes it."""

    def service(self) -> "Service":
        """What answers the requests of one model."""
        ...


class RowAlgorithm(Algorithm, Protocol):
    """One whose requests are rows of features."""

    answers: str = "predictions"
    """The member of a JSON answer that lists what is told of the rows."""

    def load(self, directory: str) -> Model:
        """The model that `train`, or AWS's algorithm of this name, left there."""
        ...

    def service(self) -> "Service":
        from clary.algorithms.kit.serving import RowService

        return RowService(self)
