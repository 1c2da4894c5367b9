"""Experiments: what trials belong to."""

from typing import Any

from clary.control.call import Call
from clary.records.query import Query
from clary.records.record import Kind, Record
from clary.services.sagemaker.errors import invalid
from clary.services.sagemaker.experiments.naming import displayed
from clary.services.sagemaker.resources.declaration import Document, Resource
from clary.services.sagemaker.resources.operations import serve
from clary.services.sagemaker.search.declaring import serve_search

TRIAL = Kind("experiment-trial")


def _prepare(_call: Call, request: dict[str, Any]) -> Document:
    return displayed(request, "ExperimentName")


def _without_trials(call: Call, experiment: Record) -> None:
    trials = Query(parent=experiment.id, max_results=1)
    if call.house.records.list(TRIAL, call.scope, trials).records:
        raise invalid(
            f"Experiment {experiment.name} cannot be deleted: it has trials. Delete those that ListTrials finds first."
        )


EXPERIMENTS = Resource(
    base="Experiment",
    kind=Kind("experiment"),
    missing="Experiment '{name}' does not exist.",
    exists="Experiment {arn} already exists. Names are unique within an AWS account and region.",
    prepare=_prepare,
    guard=_without_trials,
)
serve(EXPERIMENTS, "Create", "Describe", "List", "Update", "Delete")
serve_search(EXPERIMENTS)
