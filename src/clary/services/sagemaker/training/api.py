"""Training jobs: what may be asked for, and what is told of them."""

import math
from collections.abc import Sequence
from typing import Any

from clary.control.call import Call
from clary.control.house import House
from clary.images.table import UnknownImage, find_image, runs_script
from clary.records.record import Event, Record, Scope
from clary.records.search.searchable import NamedList
from clary.services.sagemaker.errors import invalid
from clary.services.sagemaker.experiments.tracking import check_config
from clary.services.sagemaker.instances.images import is_own
from clary.services.sagemaker.jobs.stopping import only_finished, serve_stop
from clary.services.sagemaker.jobs.traffic import check_encryption
from clary.services.sagemaker.resources.declaration import Resource
from clary.services.sagemaker.resources.listing import equal_member
from clary.services.sagemaker.resources.operations import serve
from clary.services.sagemaker.search.declaring import serve_search
from clary.services.sagemaker.training.channels import check_channels
from clary.services.sagemaker.training.checkpoints import check_checkpoints
from clary.services.sagemaker.training.cluster import check as check_cluster
from clary.services.sagemaker.training.cluster import count
from clary.services.sagemaker.training.instance import DEFAULT_MAX_RUNTIME
from clary.services.sagemaker.training.kind import COURSE, MESSAGES, STARTING, TRAINING_JOB
from clary.services.sagemaker.training.metrics import check_expressions
from clary.services.sagemaker.training.unbuilt import refuse_what_is_not_built
from clary.services.sagemaker.training.warm_pools import WARM_POOL, check_keep_alive, told
from clary.wire.errors import ServiceError

OVERRIDDEN = (
    "You can't override the metric definitions for Amazon SageMaker algorithms. Please retry the request without "
    "specifying metric definitions."
)


def prepare(house: House, scope: Scope, request: dict[str, Any]) -> dict[str, Any]:
    """The document of a job that is asked for, by a user or by a tuning job. Raises `ServiceError`."""
    check_cluster(request)
    own = is_own(house, scope, request.get("AlgorithmSpecification", {}).get("TrainingImage", ""))
    refuse_what_is_not_built(request)
    check_config(house, scope, request)
    check_encryption(house, request, count(request["ResourceConfig"]))
    check_channels(request)
    check_checkpoints(request)
    _check_spot(request)
    check_keep_alive(request)
    try:
        check_expressions(request["AlgorithmSpecification"].get("MetricDefinitions", []))
    except ValueError as error:
        raise invalid(str(error)) from None
    metrics = () if own else image_metrics(request)
    if metrics and "MetricDefinitions" in request["AlgorithmSpecification"]:
        raise invalid(OVERRIDDEN)
    document = _with_defaults(request)
    if metrics:
        document["AlgorithmSpecification"] = {**request["AlgorithmSpecification"], "MetricDefinitions": metrics}
    return document


def _describe(house: House, record: Record) -> dict[str, Any]:
    return {"SecondaryStatusTransitions": _transitions(record, house.records.events(record))}


def _tell(record: Record) -> dict[str, Any]:
    return {**_seconds(record), **told(record)}


def _may_delete(call: Call, record: Record) -> None:
    only_finished("training job")(call, record)
    if any(call.house.records.children(record, WARM_POOL, *WARM_POOL.live)):
        raise ServiceError("ResourceInUse", f"The training job {record.name} retains a warm pool.")


def _seconds(record: Record) -> dict[str, int]:
    job = record.document
    if "TrainingStartTime" not in job or "TrainingEndTime" not in job:
        return {}
    seconds = max(1, math.ceil(job["TrainingEndTime"] - job["TrainingStartTime"]))
    return {"TrainingTimeInSeconds": seconds, "BillableTimeInSeconds": job.get("BillableTimeInSeconds", seconds)}


def _transitions(record: Record, events: Sequence[Event]) -> list[dict[str, Any]]:
    ends: list[float | None] = [event.at for event in events[1:]]
    # The last status of a finished job ends when it begins, as AWS shows it.
    ends.append(None if record.state.status in TRAINING_JOB.live else record.modified)
    return [
        {
            "Status": event.state.secondary,
            "StartTime": event.at,
            "EndTime": end,
            "StatusMessage": event.message,
        }
        for event, end in zip(events, ends, strict=True)
    ]


def _check_spot(request: dict[str, Any]) -> None:
    condition = request.get("StoppingCondition", {})
    longest = condition.get("MaxWaitTimeInSeconds")
    if not request.get("EnableManagedSpotTraining"):
        if longest is not None:
            raise invalid(
                "Invalid MaxWaitTimeInSeconds. It is only supported when EnableManagedSpotTraining is set to true"
            )
    elif longest is None or longest < condition.get("MaxRuntimeInSeconds", DEFAULT_MAX_RUNTIME):
        raise invalid(
            "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to MaxRuntimeInSeconds"
        )


def _with_defaults(document: dict[str, Any]) -> dict[str, Any]:
    """What AWS describes of a job that did not say; clients index some of it without asking."""
    return {
        "StoppingCondition": {"MaxRuntimeInSeconds": DEFAULT_MAX_RUNTIME},
        "EnableNetworkIsolation": False,
        "EnableInterContainerTrafficEncryption": False,
        "EnableManagedSpotTraining": False,
        **document,
        "OutputDataConfig": {"KmsKeyId": "", **document["OutputDataConfig"]},
    }


def image_metrics(asked: dict[str, Any]) -> list[dict[str, str]]:
    """The definitions of its own metrics, which a built-in algorithm's image brings."""
    if runs_script(asked.get("HyperParameters", {}), asked.get("Environment", {})):
        return []
    try:
        metrics = find_image(asked["AlgorithmSpecification"]["TrainingImage"]).algorithm_metrics
    except UnknownImage:
        # The job will fail with that for its reason.
        return []
    return [{"Name": name, "Regex": regex} for name, regex in metrics]


TRAINING_JOBS = Resource(
    base="TrainingJob",
    kind=TRAINING_JOB,
    missing="Requested resource not found.",
    missing_code="ValidationException",
    exists=(
        "Training job names must be unique within an AWS account and region, and a training job with this name "
        "already exists ({arn})"
    ),
    initial=STARTING,
    message=MESSAGES[STARTING],
    prepare=lambda call, request: prepare(call.house, call.scope, request),
    tell=_tell,
    describe=_describe,
    guard=_may_delete,
    order="Ascending",
    filters={"WarmPoolStatusEquals": equal_member("WarmPoolStatus.Status")},
)
serve(TRAINING_JOBS, "Create", "Describe", "List", "Delete")
serve_stop(TRAINING_JOBS, COURSE, "training job")
serve_search(
    TRAINING_JOBS,
    passages={"SecondaryStatusTransitions": _transitions},
    named=(NamedList("Metrics", "FinalMetricDataList", "MetricName", "Value"),),
    decimals=("HyperParameters",),
)
