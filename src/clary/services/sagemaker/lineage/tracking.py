"""Lineage that jobs and endpoints draw by themselves.

    image, data ─ContributedTo▶ the job's trial component ─Produced▶ model, data, checkpoints
    model, image ─ContributedTo▶ ModelDeployment ─AssociatedWith▶ the endpoint's context

What is there is used again: there is one artifact for a URI, whoever made it. Which properties become artifacts is
documented ("SageMaker-Created Tracking Entities"). All may be drawn again.
"""

from collections.abc import Iterator
from typing import Any

from clary.control.house import House
from clary.records.errors import AlreadyExists
from clary.records.record import Record, Scope
from clary.services.sagemaker.experiments.components import TRIAL_COMPONENTS
from clary.services.sagemaker.experiments.tracking import component_name
from clary.services.sagemaker.lineage.actions import ACTIONS
from clary.services.sagemaker.lineage.artifacts import ARTIFACTS, name_of
from clary.services.sagemaker.lineage.associations import associate
from clary.services.sagemaker.lineage.contexts import CONTEXTS
from clary.services.sagemaker.lineage.entities import SOURCE_URI
from clary.services.sagemaker.resources.declaration import Document, Resource
from clary.services.sagemaker.resources.handling import enrol

IMAGE, MODEL = "SageMaker.ImageUri", "SageMaker.ModelArtifact"
"""Names of artifacts in trial components of jobs."""


def draw_job(house: House, job: Record) -> None:
    """What a job that has ended was made of, and what it made. It costs several times what ending the job does, and so
    has a transaction of its own."""
    component = house.records.find(TRIAL_COMPONENTS.kind, job.scope, component_name(job))
    if component is not None:
        with house.records.together():
            _draw(house, job, component)


def _draw(house: House, job: Record, component: Record) -> None:
    for name, artifact in component.document.get("InputArtifacts", {}).items():
        source = _artifact(house, job.scope, artifact["Value"], "Image" if name == IMAGE else "DataSet")
        associate(house, source, component, "ContributedTo")
    for uri, kind in _made(job, component):
        associate(house, component, _artifact(house, job.scope, uri, kind), "Produced")


def _made(job: Record, component: Record) -> Iterator[tuple[str, str]]:
    for name, artifact in component.document.get("OutputArtifacts", {}).items():
        yield artifact["Value"], "Model" if name == MODEL else "DataSet"
    if "CheckpointConfig" in job.document:
        yield job.document["CheckpointConfig"]["S3Uri"], "Checkpoint"


def draw_deployment(house: House, endpoint: Record, deployment: Document) -> None:
    """Which models and images an endpoint that is in service has."""
    source = {"SourceUri": endpoint.arn, "SourceType": "ARN"}
    kinds = {"Source": source, SOURCE_URI: endpoint.arn, "Properties": {"EndpointName": endpoint.name}}
    name = f"{endpoint.name}-aws-endpoint"
    context = _ensure(house, endpoint.scope, CONTEXTS, name, {**kinds, "ContextType": "Endpoint"})
    action = _ensure(
        house,
        endpoint.scope,
        ACTIONS,
        f"{endpoint.name}-aws-model-deployment",
        {**kinds, "ActionType": "ModelDeployment", "Status": "Completed"},
    )
    associate(house, action, context, "AssociatedWith")
    for model in deployment["Models"].values():
        for container in model["Containers"]:
            data = container.get("ModelDataSource", {}).get("S3DataSource", {}).get("S3Uri")
            for uri, kind in ((container.get("ModelDataUrl") or data, "Model"), (container.get("Image"), "Image")):
                if uri:
                    associate(house, _artifact(house, endpoint.scope, uri, kind), action, "ContributedTo")


def _artifact(house: House, scope: Scope, uri: str, kind: str) -> Record:
    source = {SOURCE_URI: uri}
    return _ensure(house, scope, ARTIFACTS, name_of(source), {"Source": source, SOURCE_URI: uri, "ArtifactType": kind})


def _ensure(house: House, scope: Scope, resource: Resource, name: str, document: dict[str, Any]) -> Record:
    found = house.records.find(resource.kind, scope, name)
    if found is not None:
        return found
    try:
        return enrol(house, scope, resource, name, document, tags={})
    except AlreadyExists:
        return house.records.get(resource.kind, scope, name)
