"""Processing jobs: what may be asked for, and what is told of them."""

from collections import Counter
from typing import Any

from clary.control.call import Call
from clary.services.sagemaker.errors import invalid, not_built, refuse_members
from clary.services.sagemaker.experiments.tracking import check_config
from clary.services.sagemaker.jobs.plain import IN_PROGRESS
from clary.services.sagemaker.jobs.stopping import only_finished, serve_stop
from clary.services.sagemaker.jobs.traffic import check_encryption
from clary.services.sagemaker.processing.kind import COURSE, PROCESSING_JOB
from clary.services.sagemaker.resources.declaration import Resource
from clary.services.sagemaker.resources.operations import serve

ROOT = "/opt/ml/processing/"
DEFAULT_MAX_RUNTIME = 24 * 3600
"""Seconds; what AWS documents for a job without a StoppingCondition."""


def _prepare(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    check_config(call.house, call.scope, request)
    cluster = request["ProcessingResources"]["ClusterConfig"]
    refuse_members(cluster, ("InstancePreferences",))
    if "InstanceType" not in cluster:
        raise not_built("A processing job without ClusterConfig.InstanceType")
    check_encryption(call.house, request.get("NetworkConfig", {}), cluster.get("InstanceCount", 1))
    inputs, outputs = request.get("ProcessingInputs", []), request.get("ProcessingOutputConfig", {}).get("Outputs", [])
    _check_names([each["InputName"] for each in inputs], "inputs")
    _check_names([each["OutputName"] for each in outputs], "outputs")
    for each in inputs:
        _check_input(each)
    _check_pipes(inputs)
    for each in outputs:
        _check_output(each)
    _check_places([place for each in (*inputs, *outputs) if (place := local_path(each))])
    return {"StoppingCondition": {"MaxRuntimeInSeconds": DEFAULT_MAX_RUNTIME}, **request}


def local_path(place: dict[str, Any]) -> str:
    """Where an input or an output lies for the program; empty where the program itself cares for it."""
    if place.get("AppManaged"):
        return ""
    path: str = (place.get("S3Input") or place.get("S3Output") or {}).get("LocalPath", "")
    return path


def _check_names(names: list[str], what: str) -> None:
    if len(set(names)) < len(names):
        raise invalid(f"The names of {what} must be unique within a processing job.")


def _check_input(given: dict[str, Any]) -> None:
    name = given["InputName"]
    if "DatasetDefinition" in given:
        kinds = ("AthenaDatasetDefinition", "RedshiftDatasetDefinition")
        kind = next((each for each in kinds if each in given["DatasetDefinition"]), "DatasetDefinition")
        raise not_built(f"{kind} of the input {name}")
    source = given.get("S3Input")
    if source is None:
        raise invalid(f"The input {name} has neither S3Input nor DatasetDefinition.")
    if source.get("S3CompressionType", "None") != "None" and source.get("S3InputMode") != "Pipe":
        raise invalid(f"S3CompressionType of the input {name} can be Gzip only with S3InputMode Pipe.")
    _check_path(given, f"input {name}")


def _check_output(given: dict[str, Any]) -> None:
    name = given["OutputName"]
    if "FeatureStoreOutput" in given:
        raise not_built(f"FeatureStoreOutput of the output {name}")
    if "S3Output" not in given and not given.get("AppManaged"):
        raise invalid(f"The output {name} has no S3Output.")
    _check_path(given, f"output {name}")


def _check_path(given: dict[str, Any], what: str) -> None:
    path = local_path(given)
    if given.get("AppManaged"):
        return
    if not path.startswith(ROOT) or ".." in path.split("/"):
        raise invalid(f"LocalPath of the {what} is {path!r}: it must begin with {ROOT}")


def _check_places(paths: list[str]) -> None:
    """Each is a directory of its own: what was read into one would be another's."""
    for place, times in Counter(path.rstrip("/") for path in paths).items():
        if times > 1:
            raise invalid(f"LocalPath {place} is named twice.")


def _check_pipes(inputs: list[dict[str, Any]]) -> None:
    """Files of an input are seen through a mount of their directory, in which pipes lead nowhere."""
    for pipe in inputs:
        for other in inputs:
            around = local_path(other).rstrip("/") + "/"
            if is_pipe(pipe) and not is_pipe(other) and around != "/" and local_path(pipe).startswith(around):
                raise invalid(
                    f"LocalPath of the input {pipe['InputName']}, whose S3InputMode is Pipe, cannot lie in the "
                    f"directory of the input {other['InputName']}."
                )


def is_pipe(given: dict[str, Any]) -> bool:
    return bool(given.get("S3Input", {}).get("S3InputMode") == "Pipe")


PROCESSING_JOBS = Resource(
    base="ProcessingJob",
    kind=PROCESSING_JOB,
    missing="Could not find requested job with name: {name}",
    missing_code="ValidationException",
    exists="Job name must be unique within an AWS account and region, and a job with this name already exists ({arn})",
    initial=IN_PROGRESS,
    message=COURSE.messages[IN_PROGRESS],
    prepare=_prepare,
    guard=only_finished("processing job"),
    order="Ascending",
)
serve(PROCESSING_JOBS, "Create", "Describe", "List", "Delete")
serve_stop(PROCESSING_JOBS, COURSE, "processing job")
