"""From a variant's model to what one replica's instance is told.

The layout is SageMaker's documented contract with hosting containers: the model under /opt/ml/model, a server on
/ping and /invocations.
"""

from dataclasses import replace
from typing import Any

from clary.control.house import House
from clary.images.table import UnknownImage, find_recipe, serve_command
from clary.instance.spec import Archive, InstanceSpec, Source
from clary.records.record import Record, Scope
from clary.services.sagemaker.errors import JobError
from clary.services.sagemaker.hosting.models import container_of
from clary.services.sagemaker.instances.environment import instance_environment
from clary.services.sagemaker.instances.images import MISSING_MODEL, Program, listed_image, own_image, own_program
from clary.services.sagemaker.instances.inputs import locate, prefix_sources
from clary.services.sagemaker.instances.types import instance_type as find_type

MODEL = "/opt/ml/model"
CODE = "/opt/ml/code"
GRACE = 30.0
"""Seconds that a replica has to finish what it is answering when it is stopped."""
PORT = 8080
"""Where SageMaker's contract has a container listen."""
CREDENTIALS = 10 * 365 * 24 * 3600
"""Seconds: a replica is started once and may serve for years."""


def replica_instance(
    house: House, record: Record, replica: dict[str, Any], variant: dict[str, Any], model: dict[str, Any]
) -> InstanceSpec:
    """The spec of one replica; raises `JobError` for what the user must mend."""
    hostname = f"{replica['Variant']}-{replica['Id'].rpartition('-')[2]}"[:63]
    spec = model_instance(house, record.scope, model, variant["InstanceType"], replica["Id"], hostname, CREDENTIALS)
    return replace(spec, grace=GRACE)


def model_instance(
    house: House,
    scope: Scope,
    model: dict[str, Any],
    instance_type: str,
    instance_id: str,
    hostname: str,
    seconds: int,
) -> InstanceSpec:
    """The spec of an instance that serves the model for at most `seconds`; raises `JobError`."""
    container = container_of(model)
    environment = container.get("Environment", {})
    kind = find_type(instance_type)
    program = _program(house, scope, container)
    role = model.get("ExecutionRoleArn", "role/ClaryEndpoint")
    return InstanceSpec(
        id=instance_id,
        command=program.command,
        environment={
            **instance_environment(house, scope, role, session="SageMaker", seconds=seconds),
            **environment,
        },
        hostname=hostname,
        serves=True,
        port=PORT if program.container else 0,
        channels=_model_files(house, container),
        archives=_archives(house, container, {} if program.container else environment),
        requirements=[] if program.container else [f"{CODE}/requirements.txt", f"{MODEL}/code/requirements.txt"],
        image=program.image,
        container=program.container,
        vcpus=kind.vcpus,
        memory=kind.memory,
        gpus=kind.gpus,
        isolated=model.get("EnableNetworkIsolation", False),
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
    if packed:
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
