"""One training job of an algorithm of AWS's own.

for epoch in job.epochs():            # until all are done, or the job is told to stop
    for batch in job.batches():       # a pass over the channel, as its next epoch
        …
job.score("train", "msd", value)      # a line that AWS's metric definitions (`clary.images.metrics`) find
"""

import logging
import math
import os
import signal
import time
from collections.abc import Iterator
from typing import Any, Literal, cast

from clary.algorithms.errors import UserError
from clary.algorithms.kit.base import Algorithm
from clary.algorithms.kit.batches import Batch
from clary.algorithms.kit.channels import Channel, check
from clary.algorithms.kit.labels import Classes
from clary.algorithms.kit.parameters import AUTO, settle
from clary.algorithms.kit.reading import Expected, read_batches
from clary.algorithms.kit.team import Team
from clary.toolkits.environment import read_config
from clary.toolkits.layout import opt_ml

TRAIN = "train"
DEFAULT_BATCH = 5000


class Job:
    def __init__(self, parameters: dict[str, Any], channels: dict[str, Channel], team: Team) -> None:
        self.parameters = parameters
        """All of the algorithm's, typed; what was not given has its default."""
        self.channels = channels
        self.team = team
        self.feature_dim = _known(parameters.get("feature_dim"))
        """Until the first batch was read None, where the user did not say it."""
        self.stopped = False
        """Whether SIGTERM came: what was learned so far is to be saved."""
        self._passes = dict.fromkeys(channels, 0)

    @property
    def model_directory(self) -> str:
        return opt_ml("model")

    def stop_on_sigterm(self) -> None:
        def stop(_signum: int, _frame: object) -> None:
            self.stopped = True

        signal.signal(signal.SIGTERM, stop)

    def epochs(self) -> Iterator[int]:
        """The numbers of the epochs that are to be trained, from 0."""
        count = self.parameters.get("epochs", 1)
        for epoch in range(count):
            yield epoch
            self._tell_progress(100 * (epoch + 1) // count)
            if self.team.agrees(self.stopped):
                logging.info("Told to stop after epoch %d of %d.", epoch + 1, count)
                return

    def end_early(self, why: str) -> None:
        """Tell that no more epochs are to follow, before who goes through them leaves off: the training is done."""
        logging.info("%s: stopping training now.", why)
        self._tell_progress(100)

    def _tell_progress(self, percent: int) -> None:
        self._say(f"#progress_metric: host={self.team.host}, completed {percent} % of epochs")

    def batches(
        self,
        name: str = TRAIN,
        size: int | None = None,
        *,
        labelled: bool = False,
        classes: Classes | None = None,
        counts: bool = False,
        even: bool = True,
    ) -> Iterator[Batch]:
        """The rows of a channel, once more; `size` of them at a time, by default `mini_batch_size`. Those that are
        `labelled` have one label each, which is one of the `classes` where those are given; `counts` are not negative.

        Where how many they are does not matter, batches that are not `even` spare copies: `size` is the most of one.
        Raises `UserError` for rows that are not as they must be, and where there are none: of several instances one
        may have none of them.
        """
        size = size or _known(self.parameters.get("mini_batch_size")) or DEFAULT_BATCH
        epoch = self._passes[name]
        self._passes[name] += 1
        begun, rows = time.monotonic(), 0
        expected = Expected(self.feature_dim, labelled, classes, counts)
        for batch in read_batches(self.channels[name], size, epoch, expected, even=even):
            self.feature_dim = batch.width
            rows += len(batch)
            yield batch
            if self.stopped:
                break
        if not rows and self.team.size == 1:
            raise no_data(name)
        if name == TRAIN and rows:
            self.tell_speed(rows, begun)

    def tell_speed(self, records: int, begun: float) -> None:
        """Of a pass over so many training records, which began at that moment of the monotonic clock."""
        speed = records / max(time.monotonic() - begun, 1e-9)
        self._say(f"#throughput_metric: host={self.team.host}, train throughput={speed} records/second")

    def takes_part(self, name: str = TRAIN) -> bool:
        """Whether this instance's rows are to be counted: of a channel that all have whole, one alone counts them."""
        return self.team.leads or self.channels[name].sharded

    def score(
        self,
        channel: str,
        metric: str,
        value: float,
        kind: Literal["loss", "score"] = "loss",
        *,
        epoch: int | None = None,
        batch: int | None = None,
    ) -> None:
        """Tell how good the model is, once for all instances: the one that leads says it.

        Raises `UserError` for a loss that is no number: there is nothing to be learned from it any more.
        """
        if kind == "loss" and not math.isfinite(value):
            raise UserError(
                f"The loss {metric} of the channel {channel!r} has become {value}: features or labels are too large, "
                "or the learning rate is."
            )
        when = "" if epoch is None else f"epoch={epoch}, "
        when += "" if batch is None else f"batch={batch} "  # As AWS's own lines have it, with no comma.
        if self.team.leads:
            self._say(f"#quality_metric: host={self.team.host}, {when}{channel} {metric} <{kind}>={value}")

    def final_score(self, channel: str, metric: str, value: float, kind: Literal["loss", "score"] = "loss") -> None:
        """Of the finished model, which AWS's algorithms tell in a line of another form, too."""
        if self.team.leads:
            self._say(f"#{channel}_score ({self.team.host}) : ({metric!r}, {value})")
        self.score(channel, metric, value, kind)

    def _say(self, line: str) -> None:
        logging.info(line)


def no_data(channel: str) -> UserError:
    return UserError(f"Unable to read data channel {channel!r}: there is no data in it.")


def open_job(algorithm: Algorithm) -> Job:
    """The job that this instance is to do; raises `UserError` for what is not as it must be."""
    resources = read_config("resourceconfig.json")
    hosts = cast(list[str], resources.get("hosts") or ["algo-1"])
    parameters = settle(algorithm.hyperparameters, cast(dict[str, str], read_config("hyperparameters.json")))
    logging.info("Final configuration: %s", parameters)
    channels = check(algorithm.channels, cast(dict[str, dict[str, Any]], read_config("inputdataconfig.json")))
    os.makedirs(opt_ml("model"), exist_ok=True)
    job = Job(parameters, channels, Team(hosts, str(resources.get("current_host", hosts[0]))))
    job.stop_on_sigterm()
    return job


def _known(value: Any) -> int | None:
    return None if value in (None, AUTO) else value
