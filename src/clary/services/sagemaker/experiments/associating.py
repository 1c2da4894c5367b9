"""AssociateTrialComponent and DisassociateTrialComponent."""

from typing import Any

from clary.control.call import Call
from clary.services.sagemaker import operation
from clary.services.sagemaker.experiments.components import PARENTS, TRIAL_COMPONENTS
from clary.services.sagemaker.experiments.trials import TRIALS
from clary.services.sagemaker.resources.handling import arn_of, find
from clary.wire.errors import ServiceError


@operation("AssociateTrialComponent")
def associate(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    trial = find(call, TRIALS, request["TrialName"])
    component = find(call, TRIAL_COMPONENTS, request["TrialComponentName"])
    parent = {"TrialName": trial.name, "ExperimentName": trial.document["ExperimentName"]}
    parents = component.document[PARENTS]
    if parent not in parents:
        call.house.records.update(component, {**component.document, PARENTS: [*parents, parent]})
    return {"TrialComponentArn": component.arn, "TrialArn": trial.arn}


@operation("DisassociateTrialComponent")
def disassociate(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    component = find(call, TRIAL_COMPONENTS, request["TrialComponentName"])
    trial = request["TrialName"]
    others = [parent for parent in component.document[PARENTS] if parent["TrialName"] != trial]
    if len(others) == len(component.document[PARENTS]):
        raise ServiceError(
            "ResourceNotFound", f"Trial component '{component.name}' is not associated with trial '{trial}'."
        )
    call.house.records.update(component, {**component.document, PARENTS: others})
    return {"TrialComponentArn": component.arn, "TrialArn": arn_of(call, TRIALS.kind, trial)}
