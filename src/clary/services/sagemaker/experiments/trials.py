"""Trials: steps of an experiment, each with the trial components that it is made of."""

from typing import Any

from clary.control.call import Call
from clary.records.record import Record
from clary.records.search.expression import AllOf, Equal
from clary.services.sagemaker import operation
from clary.services.sagemaker.errors import invalid
from clary.services.sagemaker.experiments.components import PARENTS, TRIAL_COMPONENTS
from clary.services.sagemaker.experiments.experiments import EXPERIMENTS, TRIAL
from clary.services.sagemaker.experiments.naming import displayed
from clary.services.sagemaker.resources.declaration import Document, Resource
from clary.services.sagemaker.resources.handling import create, find
from clary.services.sagemaker.resources.listing import list_resources
from clary.services.sagemaker.resources.operations import serve
from clary.services.sagemaker.search.declaring import serve_search
from clary.services.sagemaker.search.listing import find_all, find_first, list_found

SUMMARY = ("TrialComponentName", "TrialComponentArn", "TrialComponentSource", "CreationTime")
"""Members of a `TrialComponentSimpleSummary`."""


def _prepare(_call: Call, request: dict[str, Any]) -> Document:
    return displayed(request, "TrialName")


def _without_components(call: Call, trial: Record) -> None:
    if find_first(call, TRIAL_COMPONENTS, Equal(f"{PARENTS}.TrialName", (trial.name,))):
        raise invalid(
            f"Trial {trial.name} cannot be deleted: it has trial components. Disassociate those that "
            "ListTrialComponents finds first."
        )


def _with_components(call: Call, trials: list[Document]) -> None:
    parts: dict[str, list[Document]] = {trial["TrialName"]: [] for trial in trials}
    for component in find_all(call, TRIAL_COMPONENTS, Equal(f"{PARENTS}.TrialName", tuple(parts))) if parts else ():
        summary = {member: component[member] for member in SUMMARY if member in component}
        for parent in component[PARENTS]:
            parts.get(parent["TrialName"], []).append(summary)
    for trial in trials:
        trial["TrialComponentSummaries"] = parts[trial["TrialName"]]


TRIALS = Resource(
    base="Trial",
    kind=TRIAL,
    missing="Trial '{name}' does not exist.",
    exists="Trial {arn} already exists. Names are unique within an AWS account and region.",
    prepare=_prepare,
    guard=_without_components,
)
serve(TRIALS, "Describe", "Update", "Delete")
serve_search(TRIALS, "ExperimentTrial", member="Trial", untold=("TrialComponentSummaries",), complete=_with_components)


@operation("CreateTrial")
def create_trial(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    experiment = find(call, EXPERIMENTS, request["ExperimentName"])
    return {"TrialArn": create(call, TRIALS, request, parent=experiment.id).arn}


@operation("ListTrials")
def list_trials(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    asked = dict(request)
    experiment = asked.pop("ExperimentName", None)
    component = asked.pop("TrialComponentName", None)
    parent = find(call, EXPERIMENTS, experiment).id if experiment else ""
    if component:
        parents = find(call, TRIAL_COMPONENTS, component).document.get(PARENTS, [])
        tests = [Equal("TrialName", tuple(each["TrialName"] for each in parents))]
        if experiment:
            tests.append(Equal("ExperimentName", (experiment,)))
        return list_found(call, TRIALS, asked, AllOf(tuple(tests)))
    return list_resources(call, TRIALS, asked, parent=parent)
