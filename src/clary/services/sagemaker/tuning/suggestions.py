"""Values for the next training job: Optuna's, from a study that is made anew of the jobs there are.

Random is its RandomSampler, Bayesian its tree-structured Parzen estimator over all parameters at once, for which jobs
that run count as bad ("constant liar"), so that those side by side do not try the same. Hyperband samples as Bayesian
does. Grid counts through the combinations of its categories.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clary.services.sagemaker.tuning.space import Parameter, combination, size

if TYPE_CHECKING:
    from optuna import Study
    from optuna.pruners import BasePruner
    from optuna.samplers import BaseSampler
    from optuna.trial import FrozenTrial


@dataclass(frozen=True, slots=True)
class Tried:
    """One job, as a study sees it."""

    values: dict[str, str]
    objective: float | None
    live: bool
    over_time: Sequence[float] = ()


def suggest(
    strategy: str, space: Sequence[Parameter], minimize: bool, tried: Sequence[Tried], number: int, seed: int
) -> dict[str, str] | None:
    """Values of the hyperparameters of the job of that number (from 0 on); None where a grid has no more. The same
    arguments give the same values."""
    if strategy == "Grid":
        return combination(space, number) if number < size(space) else None
    study = make_study(space, minimize, tried, _sampler(strategy, (seed + number) % 2**32))
    trial = study.ask({parameter.name: parameter.distribution() for parameter in space})
    return {parameter.name: parameter.text(trial.params[parameter.name]) for parameter in space}


def make_study(
    space: Sequence[Parameter],
    minimize: bool,
    tried: Sequence[Tried],
    sampler: BaseSampler,
    pruner: BasePruner | None = None,
    name: str = "tuning",
) -> Study:
    """Its trials have the jobs' places for numbers; one that is of no use to the search stands there as failed."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    direction = "minimize" if minimize else "maximize"
    study = optuna.create_study(study_name=name, direction=direction, sampler=sampler, pruner=pruner)
    study.add_trials([_frozen(space, each) for each in tried])
    return study


def _frozen(space: Sequence[Parameter], tried: Tried) -> FrozenTrial:
    from optuna.trial import TrialState, create_trial

    sampled = {each.name: each.sampled(tried.values.get(each.name, "")) for each in space}
    known = None not in sampled.values()
    state = TrialState.RUNNING if tried.live else TrialState.COMPLETE
    if not known or (not tried.live and tried.objective is None):
        state = TrialState.FAIL
    return create_trial(
        state=state,
        value=tried.objective if state == TrialState.COMPLETE else None,
        params=sampled if known else {},
        distributions={each.name: each.distribution() for each in space} if known else {},
        intermediate_values=dict(enumerate(tried.over_time, 1)),
    )


def _sampler(strategy: str, seed: int) -> BaseSampler:
    import warnings

    from optuna.exceptions import ExperimentalWarning
    from optuna.samplers import RandomSampler, TPESampler

    if strategy == "Random":
        return RandomSampler(seed=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return TPESampler(seed=seed, multivariate=True, constant_liar=True)
