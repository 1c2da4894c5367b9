"""Transform jobs: what may be asked for, and what is told of them."""

from typing import Any

from clary.control.call import Call
from clary.instance.transform.joining import CSV, FORMATS, JSON, media_type
from clary.instance.transform.jsonpath import Path
from clary.services.sagemaker.errors import invalid
from clary.services.sagemaker.experiments.tracking import check_config
from clary.services.sagemaker.hosting.deployment import deployable
from clary.services.sagemaker.hosting.models import MODELS, containers_of, is_direct, serves_many
from clary.services.sagemaker.jobs.plain import IN_PROGRESS
from clary.services.sagemaker.jobs.stopping import serve_stop
from clary.services.sagemaker.resources.declaration import Resource
from clary.services.sagemaker.resources.handling import find
from clary.services.sagemaker.resources.operations import serve
from clary.services.sagemaker.transform.kind import COURSE, TRANSFORM_JOB

MODEL = "Model"
"""Member of the document: the model as it was when the job was created. No shape of the API has it."""
LARGEST_PAYLOAD = 100
"""Megabytes, of all requests that an instance is sent at once."""
MOST_INSTANCES = 100


def _prepare(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    check_config(call.house, call.scope, request)
    _check_input(request["TransformInput"])
    _check_batches(request)
    _check_processing(request)
    count = request["TransformResources"]["InstanceCount"]
    if count > MOST_INSTANCES:
        raise invalid(f"InstanceCount is {count}: a transform job has at most {MOST_INSTANCES} instances.")
    return {**request, MODEL: _transformable(call, find(call, MODELS, request["ModelName"]).document)}


def _transformable(call: Call, model: dict[str, Any]) -> dict[str, Any]:
    found = deployable(call, model)
    if is_direct(found):
        raise invalid("A model whose containers are invoked directly cannot be used in batch transform.")
    if any(map(serves_many, containers_of(found))):
        raise invalid("A container in MultiModel mode cannot be used in batch transform.")
    return found


def _check_input(given: dict[str, Any]) -> None:
    kind = given["DataSource"]["S3DataSource"]["S3DataType"]
    if kind not in ("S3Prefix", "ManifestFile"):
        raise invalid(f"S3DataType {kind} cannot be the input of a transform job: it is S3Prefix or ManifestFile.")


def _check_batches(request: dict[str, Any]) -> None:
    split = request["TransformInput"].get("SplitType", "None")
    if request.get("BatchStrategy") == "SingleRecord" and split == "None":
        raise invalid("BatchStrategy SingleRecord needs a SplitType: Line, RecordIO or TFRecord.")
    payload, requests = request.get("MaxPayloadInMB", 0), request.get("MaxConcurrentTransforms", 0) or 1
    if payload * requests > LARGEST_PAYLOAD:
        what = f"MaxConcurrentTransforms ({requests}) * MaxPayloadInMB ({payload})"
        raise invalid(f"{what} cannot be greater than {LARGEST_PAYLOAD}.")


def _check_processing(request: dict[str, Any]) -> None:
    processing, given = request.get("DataProcessing", {}), request["TransformInput"]
    filters = {member: processing.get(member, "$") for member in ("InputFilter", "OutputFilter")}
    for member, text in filters.items():
        try:
            Path(text)
        except ValueError as error:
            raise invalid(f"{member} is no JSONPath expression that is supported: {error}.") from None
    joins = processing.get("JoinSource") == "Input"
    kind = media_type(given.get("ContentType", ""))
    if request.get("DataCaptureConfig", {}).get("GenerateInferenceId"):
        written = media_type(request["TransformOutput"].get("Accept", "")) or kind
        if written not in FORMATS:
            raise invalid(f"GenerateInferenceId needs an output of {', '.join(FORMATS)}, named by Accept.")
    if not joins and set(filters.values()) == {"$"}:
        return
    if kind not in FORMATS or given.get("SplitType", "None") not in ("None", "Line"):
        raise invalid(f"DataProcessing needs a ContentType of {', '.join(FORMATS)}, and SplitType None or Line.")
    accepted = media_type(request["TransformOutput"].get("Accept", "")) or kind
    if joins and _family(accepted) != _family(kind):
        raise invalid(f"Accept {accepted} cannot be joined with an input of ContentType {kind}.")


def _family(kind: str) -> str:
    return CSV if kind == CSV else JSON if kind in FORMATS else kind


TRANSFORM_JOBS = Resource(
    base="TransformJob",
    kind=TRANSFORM_JOB,
    missing="Could not find requested job with name: {name}",
    missing_code="ValidationException",
    exists="Job name must be unique within an AWS account and region, and a job with this name already exists ({arn})",
    initial=IN_PROGRESS,
    message=COURSE.messages[IN_PROGRESS],
    prepare=_prepare,
)
serve(TRANSFORM_JOBS, "Create", "Describe", "List")
serve_stop(TRANSFORM_JOBS, COURSE, "transform job")
