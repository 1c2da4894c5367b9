"""Trial components: stages of trials, each with its parameters, artifacts and metrics. Jobs make theirs themselves."""

from typing import Any

from clary.control.call import Call
from clary.records.record import Kind, Record
from clary.records.search.expression import Equal
from clary.records.search.searchable import NamedList
from clary.services.sagemaker import operation
from clary.services.sagemaker.errors import invalid
from clary.services.sagemaker.experiments.moments import Moments
from clary.services.sagemaker.experiments.naming import displayed
from clary.services.sagemaker.resources.declaration import Document, Resource
from clary.services.sagemaker.resources.listing import list_resources
from clary.services.sagemaker.resources.operations import serve
from clary.services.sagemaker.search.declaring import serve_search
from clary.services.sagemaker.search.listing import list_found

PARENTS = "Parents"
"""Of a component's document: the trials that it belongs to, and their experiments."""
MOMENTS = "Moments"
"""Of a component's document: what BatchPutMetrics brought, by the metric's name. No shape has it."""
MAPS = ("Parameters", "InputArtifacts", "OutputArtifacts")
FILTERS = {"ExperimentName": f"{PARENTS}.ExperimentName", "TrialName": f"{PARENTS}.TrialName"}


def _prepare(_call: Call, request: dict[str, Any]) -> Document:
    _check_parameters(request)
    return displayed({PARENTS: [], **request}, "TrialComponentName")


def _amend(document: Document, request: dict[str, Any]) -> Document:
    """What is named in a map is put there beside what it has; Status and times take the place of what was."""
    _check_parameters(request)
    removals = {f"{member}ToRemove" for member in MAPS}
    changed = {**document, **{member: value for member, value in request.items() if member not in removals}}
    for member in MAPS:
        gone = request.get(f"{member}ToRemove", [])
        both = {**document.get(member, {}), **request.get(member, {})}
        changed[member] = {name: value for name, value in both.items() if name not in gone}
    return changed


def _check_parameters(request: dict[str, Any]) -> None:
    for name, value in request.get("Parameters", {}).items():
        if len(value) != 1:
            raise invalid(f"The parameter {name} must have either a StringValue or a NumberValue.")


def _tell(record: Record) -> Document:
    job_metrics = record.document.get("Metrics", [])
    put = record.document.get(MOMENTS, {})
    metrics = [*job_metrics, *(Moments(**moments).summary(name, record.arn) for name, moments in put.items())]
    source = record.document.get("Source")
    return {"Metrics": metrics, **({"TrialComponentSource": source} if source else {})}


def _in_no_trial(_call: Call, component: Record) -> None:
    trials = [parent["TrialName"] for parent in component.document[PARENTS]]
    if trials:
        raise invalid(
            f"Trial component {component.name} cannot be deleted: it is associated with {', '.join(trials)}. "
            "Disassociate it first."
        )


TRIAL_COMPONENTS = Resource(
    base="TrialComponent",
    kind=Kind("experiment-trial-component"),
    missing="Trial component '{name}' does not exist.",
    exists="Trial component {arn} already exists. Names are unique within an AWS account and region.",
    prepare=_prepare,
    amend=_amend,
    tell=_tell,
    guard=_in_no_trial,
)
serve(TRIAL_COMPONENTS, "Create", "Describe", "Update", "Delete")
serve_search(
    TRIAL_COMPONENTS,
    "ExperimentTrialComponent",
    member="TrialComponent",
    named=(NamedList("Metrics", "Metrics", "MetricName"),),
    untold=("SourceDetail",),
)


@operation("ListTrialComponents")
def list_trial_components(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    asked = dict(request)
    paths = {**FILTERS, "SourceArn": "Source.SourceArn"}
    wanted = {member: asked.pop(member) for member in paths if member in asked}
    if len(wanted) > 1:
        raise invalid(f"Only one of {', '.join(paths)} can be specified.")
    for member, value in wanted.items():
        return list_found(call, TRIAL_COMPONENTS, asked, Equal(paths[member], (value,)))
    return list_resources(call, TRIAL_COMPONENTS, asked)
