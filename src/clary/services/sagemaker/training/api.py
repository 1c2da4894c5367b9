"""Training job operations."""

from typing import Any

from clary.control.call import Call
from clary.control.listing import list_records
from clary.images.table import UnknownImage, find_image, runs_script
from clary.records.errors import AlreadyExists, NotFound
from clary.records.record import Record
from clary.services.sagemaker import operation
from clary.services.sagemaker.errors import invalid, not_built
from clary.services.sagemaker.resources import arn_of, create_resource, without_tags
from clary.services.sagemaker.training.instance import DEFAULT_MAX_RUNTIME
from clary.services.sagemaker.training.kind import MESSAGES, STARTING, STOPPING, TRAINING_JOB
from clary.services.sagemaker.training.metrics import check_expressions
from clary.services.sagemaker.training.unbuilt import refuse_what_is_not_built
from clary.wire.errors import ServiceError


@operation("CreateTrainingJob")
def create_training_job(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    refuse_what_is_not_built(request)
    _check_channel_names(request.get("InputDataConfig", []))
    try:
        check_expressions(request["AlgorithmSpecification"].get("MetricDefinitions", []))
    except ValueError as error:
        raise invalid(str(error)) from None
    name = request["TrainingJobName"]
    document = _with_defaults(without_tags(request))
    try:
        record = create_resource(call, TRAINING_JOB, name, request, document, STARTING, MESSAGES[STARTING])
    except AlreadyExists:
        arn = arn_of(call, TRAINING_JOB, name)
        raise ServiceError(
            "ResourceInUse",
            "Training job names must be unique within an AWS account and region, and a training job with this name "
            f"already exists ({arn})",
        ) from None
    call.house.supervisor.wake(TRAINING_JOB, record.id)
    return {"TrainingJobArn": record.arn}


@operation("DescribeTrainingJob")
def describe_training_job(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    record = _get(call, request["TrainingJobName"])
    return {
        **record.document,
        "TrainingJobName": record.name,
        "TrainingJobArn": record.arn,
        "TrainingJobStatus": record.state.status,
        "SecondaryStatus": record.state.secondary,
        "SecondaryStatusTransitions": _transitions(call, record),
        "CreationTime": record.created,
        "LastModifiedTime": record.modified,
    }


@operation("ListTrainingJobs")
def list_training_jobs(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    for member in ("WarmPoolStatusEquals", "TrainingPlanArnEquals"):
        if member in request:
            raise not_built(f"ListTrainingJobs with {member}")
    return list_records(call, TRAINING_JOB, request, "TrainingJobSummaries", _summary, order="Ascending")


@operation("StopTrainingJob")
def stop_training_job(call: Call, request: dict[str, Any]) -> None:
    record = _get(call, request["TrainingJobName"])
    if record.state.status != "InProgress":
        raise invalid("The request was rejected because the training job is in status " + record.state.status + ".")
    call.house.records.transition(record, STOPPING, message=MESSAGES[STOPPING])
    call.house.supervisor.wake(TRAINING_JOB, record.id)


@operation("DeleteTrainingJob")
def delete_training_job(call: Call, request: dict[str, Any]) -> None:
    record = _get(call, request["TrainingJobName"])
    if record.state.status in TRAINING_JOB.live:
        raise ServiceError(
            "ResourceInUse",
            f"The training job {record.name} is {record.state.status}: only a finished one can be deleted.",
        )
    call.house.records.delete(record)


def _get(call: Call, name: str) -> Record:
    try:
        return call.house.records.get(TRAINING_JOB, call.scope, name)
    except NotFound:
        raise ServiceError("ResourceNotFound", "Requested resource not found.") from None


def _summary(record: Record) -> dict[str, Any]:
    return {
        "TrainingJobName": record.name,
        "TrainingJobArn": record.arn,
        "CreationTime": record.created,
        "TrainingEndTime": record.document.get("TrainingEndTime"),
        "LastModifiedTime": record.modified,
        "TrainingJobStatus": record.state.status,
        "SecondaryStatus": record.state.secondary,
    }


def _transitions(call: Call, record: Record) -> list[dict[str, Any]]:
    events = call.house.records.events(record)
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


def _check_channel_names(channels: list[dict[str, Any]]) -> None:
    """Each is a directory of its own under /opt/ml/input/data."""
    names = [channel["ChannelName"] for channel in channels]
    if len(set(names)) < len(names):
        raise invalid("The names of channels must be unique within a training job.")
    for name in names:
        if set(name) == {"."}:
            raise invalid(f"The channel name {name!r} cannot be the name of a directory.")


def _with_defaults(document: dict[str, Any]) -> dict[str, Any]:
    """What AWS describes of a job that did not say; clients index some of it without asking."""
    document = {
        "StoppingCondition": {"MaxRuntimeInSeconds": DEFAULT_MAX_RUNTIME},
        "EnableNetworkIsolation": False,
        "EnableInterContainerTrafficEncryption": False,
        "EnableManagedSpotTraining": False,
        **document,
        "OutputDataConfig": {"KmsKeyId": "", **document["OutputDataConfig"]},
    }
    return {**document, "AlgorithmSpecification": _with_metrics(document)}


def _with_metrics(document: dict[str, Any]) -> dict[str, Any]:
    """A built-in algorithm's image brings the definitions of its own metrics."""
    algorithm: dict[str, Any] = document["AlgorithmSpecification"]
    if runs_script(document.get("HyperParameters", {}), document.get("Environment", {})):
        return algorithm
    try:
        metrics = find_image(algorithm["TrainingImage"]).algorithm_metrics
    except UnknownImage:
        # The job will fail with that for its reason.
        return algorithm
    own = [{"Name": name, "Regex": regex} for name, regex in metrics]
    return {"MetricDefinitions": own, **algorithm} if own else algorithm
