"""The series of a job, checked before anything that takes long is done."""

import logging
from typing import Any

import numpy as np

from clary.algorithms.errors import UserError
from clary.algorithms.forecasting_deepar.hyperparameters import AUTO, IGNORE
from clary.algorithms.forecasting_deepar.series import Series, Shape, read_series
from clary.algorithms.kit.channels import Channel
from clary.algorithms.kit.job import Job, no_data
from clary.algorithms.kit.team import Team

Named = list[tuple[str, Series]]


def prepare(job: Job) -> tuple[list[Series], Shape]:
    """What is to be trained on, and what its series have; raises `UserError` for what does not go together."""
    named = read_channel(job.channels["train"])
    shape = _shape(job.parameters, named, job.team)
    series = [shape.fit(each, where) for where, each in named]
    _check_values(job.parameters["likelihood"], named)
    if not any(np.isfinite(each.target).any() for each in series):
        raise UserError("No series of the channel 'train' has a value in its target that is known.")
    return _long_enough(series, job.parameters["prediction_length"]), shape


def _long_enough(series: list[Series], steps: int) -> list[Series]:
    """As AWS documents it, no series is trained on that is shorter than what is to be predicted."""
    found = [each for each in series if len(each.target) >= steps]
    if not found:
        raise UserError(f"No series of the channel train has prediction_length ({steps}) values.")
    if short := len(series) - len(found):
        logging.warning("%d of %d series have less than prediction_length (%d) values.", short, len(series), steps)
    return found


def read_channel(channel: Channel) -> Named:
    named = list(read_series(channel.files(0), channel.content_type))
    if not named:
        raise no_data(channel.name)
    for where, each in named:
        if not len(each.target):
            raise UserError(f"{where}: target is empty")
    return named


def _shape(given: dict[str, Any], named: Named, team: Team) -> Shape:
    """What the series have, or what the user says that they have."""
    cardinality, dynamic = given["cardinality"], given["num_dynamic_feat"]
    if cardinality == AUTO:
        rows = [each.categories for _, each in named]
        width = len(rows[0])
        uneven = next((where for (where, _), row in zip(named, rows, strict=True) if len(row) != width), None)
        if uneven:
            raise UserError(
                f"{uneven} has another number of values in cat than the series before it, which have {width}."
            )
        cardinality = _everywhere(team, [max(column) + 1 for column in zip(*rows, strict=True)])
    if dynamic == AUTO:
        first = named[0][1].dynamic
        dynamic = 0 if first is None else len(first)
    return Shape(() if cardinality in (IGNORE, "") else tuple(cardinality), 0 if dynamic in (IGNORE, "") else dynamic)


def _everywhere(team: Team, cardinality: list[int]) -> list[int]:
    """Of several instances, one may have series of categories that the others do not."""
    found = [each["cardinality"].tolist() for each in team.gather({"cardinality": np.array(cardinality, np.int64)})]
    if len({len(each) for each in found}) > 1:
        raise UserError("The series of one instance have another number of values in cat than those of another.")
    return [max(column) for column in zip(*found, strict=True)]


def _check_values(likelihood: str, named: Named) -> None:
    """Some likelihoods are of some numbers only."""
    for where, each in named:
        known = each.target[np.isfinite(each.target)]
        if likelihood == "beta" and ((known < 0) | (known > 1)).any():
            raise UserError(f"{where} has a target outside of 0 to 1, where the likelihood beta has no other values.")
        if likelihood == "negative-binomial" and ((known < 0) | (known != np.round(known))).any():
            raise UserError(
                f"{where} has a target that is no count, where the likelihood negative-binomial is of counts."
            )
