"""How a tuning job comes to its end: it counts its training jobs, stops the hopeless, starts the next.

A step reads the children and decides anew. It is called again by a child's passage, and each second only where it has
to look at what running jobs print (early stopping, Hyperband).
"""

import hashlib
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from clary.control.children import stop_children
from clary.control.house import House
from clary.records.errors import AlreadyExists, IllegalTransition, NotFound, Stale
from clary.records.record import Record
from clary.services.sagemaker.jobs.plain import COMPLETED, FAILED, STOPPED, STOPPING
from clary.services.sagemaker.jobs.stopping import ask_to_stop
from clary.services.sagemaker.resources.handling import enrol
from clary.services.sagemaker.training.api import TRAINING_JOBS, prepare
from clary.services.sagemaker.training.kind import COURSE as TRAINING_COURSE
from clary.services.sagemaker.training.kind import TRAINING_JOB
from clary.services.sagemaker.tuning.completion import criterion_met, has_failed, not_improving
from clary.services.sagemaker.tuning.definitions import Definition, definitions, resource_bounds
from clary.services.sagemaker.tuning.kind import COURSE, TUNING_JOB
from clary.services.sagemaker.tuning.pruning import is_worse_than_the_median, out_of_their_brackets
from clary.services.sagemaker.tuning.suggestions import Tried, suggest
from clary.services.sagemaker.tuning.trials import (
    DEFINED_BY,
    TUNED,
    Trial,
    best,
    counters,
    summary,
    trials_of,
    values_over_time,
)

LOOK_AGAIN = 1.0
"""Seconds between looks at what running jobs print."""
CONCLUDING = "Concluding"
"""Of the document: the criterion that was met, from when on nothing is started any more."""
PARENTS = "WarmStart"
"""Of the document: what the parents of a warm start tried, as it was when the job was created."""


class TuningReconciler:
    kind = TUNING_JOB

    def __init__(self, house: House) -> None:
        self._house = house

    def step(self, record_id: str) -> float | None:
        try:
            record = self._house.records.load(record_id)
        except NotFound:
            return None
        if record.state.status not in TUNING_JOB.live:
            return None
        defined = definitions(record.document)
        trials = trials_of(self._house, record, defined)
        record = self._count(record, defined, trials)
        if record.state == STOPPING or CONCLUDING in record.document:
            self._wind_up(record, trials)
            return None
        if has_failed(trials):
            self._fail(record, trials)
            return None
        self._stop_the_hopeless(record, defined, trials)
        started = self._start(record, defined, trials)
        if not started and not any(trial.live for trial in trials):
            self._end(record)
            return None
        return _patience(record)

    def _count(self, record: Record, defined: Sequence[Definition], trials: Sequence[Trial]) -> Record:
        """Keep with the job what is told of its children, and whether it is to end."""
        told: dict[str, Any] = {**record.document, **counters(trials)}
        bests = [(best(_of(trials, each), each), each) for each in defined]
        found = [(trial, each) for trial, each in bests if trial is not None]
        if found:
            trial, each = found[0]
            for other, its in found[1:]:
                if its.better(other.objective or 0.0, trial.objective or 0.0):
                    trial, each = other, its
            told["BestTrainingJob"] = summary(trial, each)
            told["OverallBestTrainingJob"] = _overall(told["BestTrainingJob"], each, record)
        since = min((not_improving(_of(trials, each), each) for each in defined), default=0)
        told["TuningJobCompletionDetails"] = {"NumberOfTrainingJobsObjectiveNotImproving": since}
        if CONCLUDING not in told:
            met = _runtime_is_over(record) or next(
                filter(None, (criterion_met(_config(record), _of(trials, each), each) for each in defined)), ""
            )
            if met:
                told[CONCLUDING] = met
        if told.get(CONCLUDING) == "ConvergenceDetected":
            at = record.document.get("TuningJobCompletionDetails", {}).get("ConvergenceDetectedTime", time.time())
            told["TuningJobCompletionDetails"]["ConvergenceDetectedTime"] = at
        return record if told == record.document else self._house.records.update(record, told)

    def _wind_up(self, record: Record, trials: Sequence[Trial]) -> None:
        """Stop what runs; end when nothing does any more."""
        live = stop_children(self._house.records, record, TRAINING_JOB, ("InProgress",), self._stop)
        if live:
            return
        # A child may have ended since the trials were read; the wake of that calls this step again.
        if any(trial.live for trial in trials):
            self._house.supervisor.wake(TUNING_JOB, record.id)
            return
        if record.state == STOPPING:
            self._finish(record, STOPPED, {})
        else:
            self._end(record)

    def _fail(self, record: Record, trials: Sequence[Trial]) -> None:
        live = stop_children(self._house.records, record, TRAINING_JOB, ("InProgress",), self._stop)
        if live == 0:
            failures = sum(trial.objective_status == "Failed" for trial in trials)
            reason = (
                f"No training job succeeded after {failures} attempts. Please take a look at the training job failures "
                "to get more details."
            )
            self._finish(record, FAILED, {"FailureReason": reason})

    def _end(self, record: Record) -> None:
        if record.document["ObjectiveStatusCounters"]["Succeeded"] == 0:
            reason = "All training jobs failed. Please take a look at the training job failures to get more details."
            self._finish(record, FAILED, {"FailureReason": reason})
        else:
            self._finish(record, COMPLETED, {})

    def _finish(self, record: Record, state: Any, changes: dict[str, Any]) -> None:
        now = time.time()
        consumed = {"RuntimeInSeconds": int(now - record.created)}
        document = {**record.document, "HyperParameterTuningEndTime": now, "ConsumedResources": consumed, **changes}
        self._house.records.transition(record, state, document=document, message=COURSE.messages[state])

    def _stop(self, child: Record) -> None:
        ask_to_stop(self._house, TRAINING_COURSE, child)

    def _stop_the_hopeless(self, record: Record, defined: Sequence[Definition], trials: Sequence[Trial]) -> None:
        config = _config(record)
        if not _watches(config):
            return
        for definition in defined:
            own = _of(trials, definition)
            over_time = [values_over_time(self._house, trial, definition.metric) for trial in own]
            if config["Strategy"] == "Hyperband":
                bounds = resource_bounds(config, definition.static)
                tried = [_tried(trial, values) for trial, values in zip(own, over_time, strict=True)]
                hopeless = [own[place] for place in out_of_their_brackets(definition, tried, bounds, record.id)]
            else:
                ended = [values for trial, values in zip(own, over_time, strict=True) if not trial.live]
                hopeless = [
                    trial
                    for trial, values in zip(own, over_time, strict=True)
                    if trial.live and is_worse_than_the_median(definition, values, ended)
                ]
            for trial in hopeless:
                with suppress(IllegalTransition, NotFound, Stale):
                    self._stop(trial.record)

    def _start(self, record: Record, defined: Sequence[Definition], trials: Sequence[Trial]) -> int:
        """Start as many jobs as there is room for; returns how many."""
        limits = _config(record)["ResourceLimits"]
        started = list(trials)
        room = limits["MaxParallelTrainingJobs"] - sum(trial.live for trial in trials)
        number = started[-1].number if started else 0
        most = limits.get("MaxNumberOfTrainingJobs")
        for _ in range(room):
            if most is not None and number >= most:
                break
            definition = defined[number % len(defined)]
            values = self._values(record, definition, _of(started, definition))
            if values is None:
                break
            number += 1
            started.append(Trial(number, self._launch(record, definition, values, number), None))
        return len(started) - len(trials)

    def _values(self, record: Record, definition: Definition, own: Sequence[Trial]) -> dict[str, str] | None:
        config = _config(record)
        before = [Tried(each["Values"], each["Objective"], live=False) for each in record.document.get(PARENTS, [])]
        tried = before + [_tried(trial) for trial in own]
        seed = config.get("RandomSeed", int(record.id[-8:], 16))
        return suggest(config["Strategy"], definition.space, definition.minimize, tried, len(own), seed)

    def _launch(self, record: Record, definition: Definition, values: dict[str, str], number: int) -> Record:
        digest = hashlib.blake2b(f"{record.id}-{number}".encode(), digest_size=4).hexdigest()
        name = f"{record.name}-{number:03d}-{digest}"
        told = {TUNED: values, "TuningJobArn": record.arn}
        if definition.name:
            told[DEFINED_BY] = definition.name
        asked = {"TrainingJobName": name, **definition.request(values)}
        document = {**prepare(self._house, record.scope, asked), **told}
        tags = self._house.records.tags(record)
        try:
            return enrol(self._house, record.scope, TRAINING_JOBS, name, document, tags=tags, parent=record.id)
        except AlreadyExists:
            return self._house.records.get(TRAINING_JOB, record.scope, name)


def _config(record: Record) -> dict[str, Any]:
    config: dict[str, Any] = record.document["HyperParameterTuningJobConfig"]
    return config


def _of(trials: Sequence[Trial], definition: Definition) -> list[Trial]:
    return [trial for trial in trials if trial.defined_by == definition.name]


def _tried(trial: Trial, over_time: Sequence[float] = ()) -> Tried:
    counts = trial.objective_status == "Succeeded"
    return Tried(trial.values, trial.objective if counts else None, trial.live, over_time)


def _overall(own: dict[str, Any], definition: Definition, record: Record) -> dict[str, Any]:
    """The best of this job and of the parents of its warm start."""
    chosen = own
    for each in record.document.get(PARENTS, []):
        metric = chosen["FinalHyperParameterTuningJobObjectiveMetric"]
        if definition.better(each["Objective"], metric["Value"]):
            chosen = each["Summary"]
    return chosen


def _watches(config: dict[str, Any]) -> bool:
    return config["Strategy"] == "Hyperband" or config.get("TrainingJobEarlyStoppingType") == "Auto"


def _runtime_is_over(record: Record) -> str:
    limit = _config(record)["ResourceLimits"].get("MaxRuntimeInSeconds")
    return "MaxRuntimeInSeconds" if limit is not None and time.time() >= record.created + limit else ""


def _patience(record: Record) -> float | None:
    """Seconds until the next look; None where a child's passage calls it."""
    if _watches(_config(record)):
        return LOOK_AGAIN
    limit = _config(record)["ResourceLimits"].get("MaxRuntimeInSeconds")
    return None if limit is None else max(0.0, record.created + limit - time.time())
