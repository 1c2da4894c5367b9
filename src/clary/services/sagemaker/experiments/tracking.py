"""Jobs as trial components: `<job>-aws-training-job` says with what a job ran, and what came of it.

    JobReconciler ── before the gang starts ──▶ keep_track: made, InProgress, in the trial of ExperimentConfig
                  └─ in the passage that ends the job ──▶ keep_track: status, times, artifacts, metrics

Either may be repeated. What users write into a job's component stays, but for members that the job itself tells.
"""

from typing import Any

from clary.control.house import House
from clary.records.errors import AlreadyExists
from clary.records.record import Record, Scope
from clary.services.sagemaker.experiments.components import MAPS, PARENTS, TRIAL_COMPONENTS
from clary.services.sagemaker.experiments.experiments import EXPERIMENTS
from clary.services.sagemaker.experiments.trials import TRIALS
from clary.services.sagemaker.resources.declaration import Document
from clary.services.sagemaker.resources.handling import enrol
from clary.wire.errors import ServiceError

CONFIG = "ExperimentConfig"


def check_config(house: House, scope: Scope, request: dict[str, Any]) -> None:
    """Refuse a job of an experiment or a trial that is not there."""
    config = request.get(CONFIG, {})
    for resource in (EXPERIMENTS, TRIALS):
        name = config.get(resource.name_member)
        if name and house.records.find(resource.kind, scope, name) is None:
            raise ServiceError("ResourceNotFound", resource.missing.format(name=name, arn=""))


def keep_track(house: House, job: Record, verb: str, account: Document) -> None:
    """Bring the job's trial component up to date with its record and what its family tells of it.

    `verb` is the family's: `Training`. One transaction; within another, a part of it.
    """
    name = component_name(job)
    said = {**account, **_state(job, verb)}
    with house.records.together():
        found = house.records.find(TRIAL_COMPONENTS.kind, job.scope, name)
        if found is not None and found.created < job.created:
            # It tells of an earlier job of this name, which was deleted.
            house.records.delete(found)
            found = None
        if found is None:
            enrol(house, job.scope, TRIAL_COMPONENTS, name, {**_place(house, job, name), **said}, tags={})
            return
        maps = {member: {**found.document.get(member, {}), **said.get(member, {})} for member in MAPS}
        house.records.update(found, {**found.document, **said, **maps})


def component_name(job: Record) -> str:
    return f"{job.name}-aws-{job.kind}"


def _state(job: Record, verb: str) -> Document:
    reason = job.document.get("FailureReason", "")
    secondary = job.state.secondary or job.state.status
    message = f"Status: {job.state.status}, secondary status: {secondary}, failure reason: {reason}."
    times = {"StartTime": f"{verb}StartTime", "EndTime": f"{verb}EndTime"}
    return {
        "Source": {"SourceArn": job.arn, "SourceType": f"SageMaker{verb}Job"},
        "Status": {"PrimaryStatus": job.state.status, "Message": message[:1024]},
        **{told: job.document[member] for told, member in times.items() if member in job.document},
    }


def _place(house: House, job: Record, name: str) -> Document:
    """Where a new component stands, and how it is shown."""
    config = job.document.get(CONFIG, {})
    trial = _trial(house, job, config)
    parent = {"TrialName": trial.name, "ExperimentName": trial.document["ExperimentName"]} if trial else None
    run = {"RunName": config["RunName"]} if "RunName" in config else {}
    return {"DisplayName": config.get("TrialComponentDisplayName", name), PARENTS: [parent] if parent else [], **run}


def _trial(house: House, job: Record, config: dict[str, str]) -> Record | None:
    """The trial that the job asked for; one of its own, called as it is, where it only asked for an experiment."""
    if "TrialName" in config:
        return house.records.find(TRIALS.kind, job.scope, config["TrialName"])
    if "ExperimentName" not in config:
        return None
    experiment = house.records.find(EXPERIMENTS.kind, job.scope, config["ExperimentName"])
    if experiment is None:
        return None
    document = {"DisplayName": job.name, "ExperimentName": experiment.name}
    try:
        return enrol(house, job.scope, TRIALS, job.name, document, tags={}, parent=experiment.id)
    except AlreadyExists:
        return house.records.find(TRIALS.kind, job.scope, job.name)
