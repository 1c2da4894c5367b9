"""Artifacts: things with a URI, such as data, images and models. One is named by its source, and called by its ARN."""

from hashlib import blake2b
from typing import Any

import orjson

from clary.control.call import Call
from clary.records.record import Kind, Record
from clary.services.sagemaker import operation
from clary.services.sagemaker.errors import invalid
from clary.services.sagemaker.lineage.entities import SOURCE_URI, amend, prepare, unassociated
from clary.services.sagemaker.resources.declaration import Document, Resource
from clary.services.sagemaker.resources.handling import create, delete, find, told
from clary.services.sagemaker.resources.listing import equal_member
from clary.services.sagemaker.resources.operations import serve
from clary.services.sagemaker.resources.shapes import answered_members, cut

SHOWN = "ShownName"
"""Of an artifact's document: the name that a user gave it, which others may have too."""


def _tell(record: Record) -> Document:
    return {"ArtifactName": record.document.get(SHOWN)}


ARTIFACTS = Resource(
    base="Artifact",
    kind=Kind("artifact"),
    missing="Artifact '{arn}' does not exist.",
    exists="Artifact {arn} already exists: it has the same Source.",
    prepare=prepare,
    amend=amend,
    guard=unassociated,
    tell=_tell,
    from_inclusive=True,
    filters={SOURCE_URI: equal_member(SOURCE_URI), "ArtifactType": equal_member("ArtifactType")},
)
serve(ARTIFACTS, "List")


@operation("CreateArtifact")
def create_artifact(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    named = {**request, **_shown(request), "ArtifactName": name_of(request["Source"])}
    return {"ArtifactArn": create(call, ARTIFACTS, named).arn}


@operation("DescribeArtifact")
def describe_artifact(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    artifact = find(call, ARTIFACTS, request["ArtifactArn"])
    return cut(told(ARTIFACTS, artifact), answered_members("DescribeArtifact"))


@operation("UpdateArtifact")
def update_artifact(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    artifact = find(call, ARTIFACTS, request["ArtifactArn"])
    changes = {member: value for member, value in request.items() if member not in ("ArtifactArn", "ArtifactName")}
    call.house.records.update(artifact, amend(artifact.document, {**changes, **_shown(request)}))
    return {"ArtifactArn": artifact.arn}


@operation("DeleteArtifact")
def delete_artifact(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    if ("ArtifactArn" in request) == ("Source" in request):
        raise invalid("Either ArtifactArn or Source must be specified.")
    name = request["ArtifactArn"] if "ArtifactArn" in request else name_of(request["Source"])
    return {"ArtifactArn": delete(call, ARTIFACTS, {"ArtifactName": name}).arn}


def _shown(request: dict[str, Any]) -> dict[str, str]:
    return {SHOWN: request["ArtifactName"]} if "ArtifactName" in request else {}


def name_of(source: dict[str, Any]) -> str:
    types = sorted([each["SourceIdType"], each["Value"]] for each in source.get("SourceTypes", []))
    return blake2b(orjson.dumps([source[SOURCE_URI], types]), digest_size=16).hexdigest()
