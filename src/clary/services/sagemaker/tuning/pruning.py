"""Which running training jobs are hopeless, by the values of the objective that they printed so far.

Early stopping (Auto) is AWS's documented rule ("Stop Training Jobs Early"): a job stops whose value is worse than the
median of the running averages of the jobs before it, up to the same epoch. Hyperband's brackets and halvings (Li et
al., 2018) are Optuna's. An epoch is a value of the objective that was printed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean, median

from clary.services.sagemaker.tuning.definitions import Definition
from clary.services.sagemaker.tuning.suggestions import Tried, make_study

LEAST_BEFORE = 3
"""Finished jobs that reached an epoch, before which nothing is judged by it."""


def is_worse_than_the_median(
    definition: Definition, values: Sequence[float], before: Sequence[Sequence[float]]
) -> bool:
    """`before` is of jobs that have ended."""
    epochs = len(values)
    if not epochs:
        return False
    averages = [fmean(other[:epochs]) for other in before if len(other) >= epochs]
    if len(averages) < LEAST_BEFORE:
        return False
    return definition.better(median(averages), values[-1])


def out_of_their_brackets(
    definition: Definition, tried: Sequence[Tried], bounds: tuple[int, int], name: str
) -> list[int]:
    """The places in `tried` of the jobs that run and that Hyperband stops. `name` is the study's: brackets hang on it.

    Optuna decides when a value is reported, with what it knows then. Here it is told of every value again, those of
    jobs that ended first, so a job is also stopped for what others did since it passed a rung, as in the paper.
    """
    from copy import copy

    from optuna.pruners import HyperbandPruner
    from optuna.samplers import RandomSampler

    lowest, highest = bounds
    pruner = HyperbandPruner(min_resource=lowest, max_resource=highest)
    # A study takes what is told of a trial only for as long as that runs.
    running = [replace(each, live=True) for each in tried]
    study = make_study(definition.space, definition.minimize, running, RandomSampler(), pruner, name)
    stopped = []
    for place in sorted(range(len(tried)), key=lambda place: tried[place].live):
        values = tried[place].over_time
        pruned = len(values) >= highest
        for epoch in range(1, len(values) + 1):
            trial = copy(study.get_trials(deepcopy=False)[place])
            trial.intermediate_values = dict(enumerate(values[:epoch], 1))
            pruned |= pruner.prune(study, trial)
        if pruned and tried[place].live:
            stopped.append(place)
    return stopped
