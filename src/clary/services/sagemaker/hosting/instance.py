"""From a model to what the instances of one replica are told.

The layout is SageMaker's documented contract with hosting containers: the model under /opt/ml/model, a server on
/ping and /invocations.
"""

from collections.abc import Sequence
from typing import Any

from clary.control.house import House
from clary.images.table import UnknownImage, find_recipe, serve_command
from clary.instance.spec import Archive, InstanceSpec, Source
from clary.records.record import Record, Scope
from clary.services.sagemaker.errors import JobError
from clary.services.sagemaker.hosting.accelerators import share_of
from clary.services.sagemaker.hosting.deployment import instances_of
from clary.services.sagemaker.hosting.many_models import models_of
from clary.services.sagemaker.hosting.models import containers_of, serves_many
from clary.services.sagemaker.hosting.serverless import promised
from clary.services.sagemaker.instances.environment import instance_environment
from clary.services.sagemaker.instances.images import MISSING_MODEL, Program, listed_image, own_image, own_program
from clary.services.sagemaker.instances.inputs import locate, prefix_sources
from clary.services.sagemaker.instances.types import InstanceType

MODEL = "/opt/ml/model"
CODE = "/opt/ml/code"
GRACE = 30.0
"""Seconds that a replica has to finish what it is answering when it is stopped."""
PORT = 8080
"""Where SageMaker's contract has a container listen."""
CREDENTIALS = 10 * 365 * 24 * 3600
"""Seconds: a replica is started once and may serve for years."""


def replica_instances(
    house: House, record: Record, replica: dict[str, Any], variant: dict[str, Any], model: dict[str, Any]
) -> list[InstanceSpec]:
    """The gang of one replica; raises `JobError` for what the user must mend."""
    hostname = f"{replica['Variant']}-{replica['Id'].rpartition('-')[2]}"
    gang = model_instances(
        house, record.scope, model, promised(variant), list(instances_of(replica)), hostname, CREDENTIALS
    )
    for spec, container in zip(gang, containers_of(model), strict=True):
        spec.grace = GRACE
        spec.gpus = spec.gpus or share_of(variant)
        if serves_many(container):
            spec.models = models_of(house, record.scope, record.name, container)
        if "Promised" in variant:
            spec.vcpus, spec.memory, spec.gpus = (variant["Promised"][each] for each in ("vcpus", "memory", "gpus"))
    return gang


def model_instances(
    house: House,
    scope: Scope,
    model: dict[str, Any],
    kind: InstanceType,
    instance_ids: Sequence[str],
    hostname: str,
    seconds: int,
) -> list[InstanceSpec]:
    """An instance for each container of the model, to serve for at most `seconds`; raises `JobError`.

    Together they are one instance of AWS's: all are promised what it has, once, and each may use it.
    """
    containers = containers_of(model)
    if len(containers) > 1 and kind.gpus:
        raise JobError(f"ClientError: a model of several containers on {kind.name}, which has GPUs, is not built.")
    role = model.get("ExecutionRoleArn", "role/ClaryEndpoint")
    variables = instance_environment(house, scope, role, session="SageMaker", seconds=seconds)
    names = [hostname[:63]] if len(containers) == 1 else [f"{hostname[:60]}-{n + 1}" for n in range(len(containers))]
    gang: list[InstanceSpec] = []
    for container, instance_id, name in zip(containers, instance_ids, names, strict=True):
        spec = _container_instance(house, scope, container, variables)
        spec.id, spec.hostname, spec.lodges = instance_id, name, bool(gang)
        spec.vcpus, spec.memory, spec.gpus = kind.vcpus, kind.memory, kind.gpus
        spec.isolated = model.get("EnableNetworkIsolation", False)
        gang.append(spec)
    return gang


def _container_instance(
    house: House, scope: Scope, container: dict[str, Any], variables: dict[str, str]
) -> InstanceSpec:
    environment = container.get("Environment", {})
    program = _program(house, scope, container)
    many = {"SAGEMAKER_MULTI_MODEL": "true"} if serves_many(container) else {}
    return InstanceSpec(
        id="",
        command=program.command,
        environment={**variables, **many, **environment},
        serves=True,
        port=PORT if program.container else 0,
        channels=_model_files(house, container),
        archives=_archives(house, container, {} if program.container else environment),
        requirements=[] if program.container else [f"{CODE}/requirements.txt", f"{MODEL}/code/requirements.txt"],
        image=program.image,
        container=program.container,
    )


def _program(house: House, scope: Scope, container: dict[str, Any]) -> Program:
    uri, environment = container["Image"], container.get("Environment", {})
    try:
        own = own_image(house, scope, uri, MISSING_MODEL)
        if own:
            return own_program(own, None, None, ["serve"])
        command = serve_command(listed_image(house, scope, uri, MISSING_MODEL), environment)
    except UnknownImage as error:
        raise JobError(str(error)) from None
    return Program(["python", *command], image=find_recipe(uri))


def _archives(house: House, container: dict[str, Any], environment: dict[str, str]) -> list[Archive]:
    archives = []
    source = container.get("ModelDataSource", {}).get("S3DataSource", {})
    packed = source.get("S3Uri") if source.get("CompressionType") == "Gzip" else container.get("ModelDataUrl")
    if packed and not serves_many(container):
        archives.append(Archive(locate(house, packed), MODEL))
    submitted = environment.get("SAGEMAKER_SUBMIT_DIRECTORY", "")
    if submitted.startswith("s3://"):
        archives.append(Archive(locate(house, submitted), CODE))
    return archives


def _model_files(house: House, container: dict[str, Any]) -> dict[str, list[Source]]:
    """A model that is kept unpacked: one S3 object or all under a prefix."""
    source = container.get("ModelDataSource", {}).get("S3DataSource", {})
    if source.get("CompressionType") != "None":
        return {}
    if source["S3DataType"] == "S3Object":
        return {MODEL: [Source(source["S3Uri"].rpartition("/")[2], locate(house, source["S3Uri"]))]}
    return {MODEL: prefix_sources(house, source["S3Uri"])}
