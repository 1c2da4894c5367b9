"""Lineage that jobs, endpoints and model packages draw by themselves.

    image, data ─ContributedTo▶ the job's trial component ─Produced▶ model, data, checkpoints
    model, image ─ContributedTo▶ ModelDeployment ─AssociatedWith▶ the endpoint's context
    model, image, Approval ─ContributedTo▶ version of a model package ─AssociatedWith▶ its group's context

What is there is used again: there is one artifact for a URI, whoever made it. Which properties become artifacts is
documented ("SageMaker-Created Tracking Entities"). All may be drawn again.
"""

from collections.abc import Iterable, Iterator
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
    about = {**_source(endpoint.arn), "Properties": {"EndpointName": endpoint.name}}
    context = _context(house, endpoint.scope, f"{endpoint.name}-aws-endpoint", "Endpoint", about)
    action = _action(house, endpoint.scope, f"{endpoint.name}-aws-model-deployment", "ModelDeployment", about)
    associate(house, action, context, "AssociatedWith")
    for model in deployment["Models"].values():
        _contribute(house, model["Containers"], action)


def draw_version(house: House, group: Record, package: Record) -> None:
    """A version of a model package group, as it is approved now."""
    version, status = package.document["ModelPackageVersion"], package.document["ModelApprovalStatus"]
    about = {**_source(package.arn), "Properties": {"ModelApprovalStatus": status}}
    artifact = _artifact(house, package.scope, package.arn, "Model")
    context = _context(house, group.scope, f"{group.name}-aws-model-group", "ModelGroup", _source(group.arn))
    name = f"{group.name}-{version}-{status}-aws-model-package"
    associate(house, _action(house, package.scope, name, "Approval", about), artifact, "ContributedTo")
    associate(house, artifact, context, "AssociatedWith")
    _contribute(house, package.document.get("InferenceSpecification", {}).get("Containers", []), artifact)


def _contribute(house: House, containers: Iterable[Document], to: Record) -> None:
    """Their models and images."""
    for container in containers:
        data = container.get("ModelDataSource", {}).get("S3DataSource", {}).get("S3Uri")
        for uri, kind in ((container.get("ModelDataUrl") or data, "Model"), (container.get("Image"), "Image")):
            if uri:
                associate(house, _artifact(house, to.scope, uri, kind), to, "ContributedTo")


def _context(house: House, scope: Scope, name: str, kind: str, about: Document) -> Record:
    return _ensure(house, scope, CONTEXTS, name, {**about, "ContextType": kind})


def _action(house: House, scope: Scope, name: str, kind: str, about: Document) -> Record:
    return _ensure(house, scope, ACTIONS, name, {**about, "ActionType": kind, "Status": "Completed"})


def _artifact(house: House, scope: Scope, uri: str, kind: str) -> Record:
    return _ensure(house, scope, ARTIFACTS, name_of({SOURCE_URI: uri}), {**_source(uri), "ArtifactType": kind})


def _source(uri: str) -> Document:
    return {"Source": {SOURCE_URI: uri}, SOURCE_URI: uri}


def _ensure(house: House, scope: Scope, resource: Resource, name: str, document: dict[str, Any]) -> Record:
    found = house.records.find(resource.kind, scope, name)
    if found is not None:
        return found
    try:
        return enrol(house, scope, resource, name, document, tags={})
    except AlreadyExists:
        return house.records.get(resource.kind, scope, name)
