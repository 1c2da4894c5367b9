"""From a processing job's document to what its instances are told.

The configuration files are SageMaker's documented contract with processing containers ("How Amazon SageMaker Processing
Configures Your Processing Container").
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from clary.control.house import House
from clary.images.table import UnknownImage, entrypoint_command, find_recipe
from clary.instance.spec import INTERFACE, InstanceSpec, Mirror, Output, Pipe, Source
from clary.records.record import Record
from clary.services.sagemaker.errors import JobError
from clary.services.sagemaker.instances.environment import instance_environment
from clary.services.sagemaker.instances.images import MISSING, Program, listed_image, own_image, own_program
from clary.services.sagemaker.instances.inputs import read_sources
from clary.services.sagemaker.instances.mirrors import mirror
from clary.services.sagemaker.instances.types import instance_type
from clary.services.sagemaker.jobs.attempts import instance_id
from clary.services.sagemaker.processing.api import is_pipe, local_path

CONFIG = "/opt/ml/config"
WORKDIR = "/opt/ml/processing"
GRACE = 120.0
TOLD = ("AppSpecification", "Environment", "ProcessingInputs", "ProcessingOutputConfig", "ProcessingResources")
"""Members of the request that a program finds in its configuration, beside its job's names, role and limit."""


def size(record: Record) -> int:
    count: int = record.document["ProcessingResources"]["ClusterConfig"].get("InstanceCount", 1)
    return count


def outputs(record: Record) -> list[tuple[Output, str]]:
    """Each directory that is kept at the end, and the S3 URI that its files go below. An output's own name may hold
    anything."""
    return [
        (Output(f"output-{number}", local_path(each), packed=False), each["S3Output"]["S3Uri"])
        for number, each in enumerate(_given_outputs(record))
        if local_path(each) and not _is_continuous(each)
    ]


def _mirrors(house: House, record: Record, seconds: float) -> list[Mirror]:
    return [
        mirror(house, local_path(each), each["S3Output"]["S3Uri"], seconds)
        for each in _given_outputs(record)
        if local_path(each) and _is_continuous(each)
    ]


def _given_outputs(record: Record) -> list[dict[str, Any]]:
    given: list[dict[str, Any]] = record.document.get("ProcessingOutputConfig", {}).get("Outputs", [])
    return given


def _is_continuous(output: dict[str, Any]) -> bool:
    return bool(output["S3Output"].get("S3UploadMode") == "Continuous")


def processing_instances(house: House, record: Record) -> Sequence[InstanceSpec]:
    """The specs of the job's instances; raises `JobError` for what the user must mend."""
    job = record.document
    kind = instance_type(job["ProcessingResources"]["ClusterConfig"]["InstanceType"])
    max_runtime = float(job["StoppingCondition"]["MaxRuntimeInSeconds"])
    credentials = instance_environment(
        house, record.scope, job["RoleArn"], session="SageMaker", seconds=int(max_runtime + GRACE)
    )
    hosts = [f"algo-{number}" for number in range(1, size(record) + 1)]
    program, inputs = _program(house, record), list(_inputs(house, job))
    mirrors = _mirrors(house, record, max_runtime)
    return [
        InstanceSpec(
            id=instance_id(record, number),
            command=program.command,
            environment={**credentials, **job.get("Environment", {})},
            workdir=WORKDIR,
            hostname=host,
            files=_configuration(record, host, hosts),
            channels={each.path: each.files(number, len(hosts)) for each in inputs if not is_pipe(each.given)},
            pipes={each.path: each.pipe(number, len(hosts)) for each in inputs if is_pipe(each.given)},
            outputs=[output for output, _ in outputs(record)],
            mirrors=mirrors,
            image=program.image,
            container=program.container,
            vcpus=kind.vcpus,
            memory=kind.memory,
            gpus=kind.gpus,
            isolated=job.get("NetworkConfig", {}).get("EnableNetworkIsolation", False),
            max_runtime=max_runtime,
            grace=GRACE,
        )
        for number, host in enumerate(hosts, 1)
    ]


def _program(house: House, record: Record) -> Program:
    application = record.document["AppSpecification"]
    uri = application["ImageUri"]
    entrypoint, arguments = application.get("ContainerEntrypoint"), application.get("ContainerArguments", [])
    try:
        own = own_image(house, record.scope, uri, MISSING)
        if own:
            return own_program(own, entrypoint, arguments, [])
        image = listed_image(house, record.scope, uri, MISSING)
    except UnknownImage as error:
        raise JobError(f"ClientError: {error}") from None
    if entrypoint is None:
        raise JobError(
            f"ClientError: The image {image.repository} has no program of its own: name one in "
            "AppSpecification.ContainerEntrypoint."
        )
    return Program([*entrypoint_command(image, entrypoint), *arguments], image=find_recipe(uri))


def _configuration(record: Record, host: str, hosts: list[str]) -> dict[str, str]:
    job = record.document
    told = {
        "ProcessingJobArn": record.arn,
        "ProcessingJobName": record.name,
        "RoleArn": job["RoleArn"],
        "StoppingCondition": job["StoppingCondition"],
        **{member: job[member] for member in TOLD if member in job},
    }
    return {
        f"{CONFIG}/processingjobconfig.json": json.dumps(told),
        f"{CONFIG}/resourceconfig.json": json.dumps(
            {"current_host": host, "hosts": sorted(hosts), "network_interface_name": INTERFACE}
        ),
    }


@dataclass(slots=True)
class _Input:
    path: str
    given: dict[str, Any]
    found: list[Source]

    def files(self, number: int, count: int) -> list[Source]:
        """What instance `number` of `count` gets."""
        sharded = self.given["S3Input"].get("S3DataDistributionType") == "ShardedByS3Key"
        return self.found[number - 1 :: count] if sharded else self.found

    def pipe(self, number: int, count: int) -> Pipe:
        items = [[each] for each in self.files(number, count)]
        return Pipe(items, gzip=self.given["S3Input"].get("S3CompressionType") == "Gzip")


def _inputs(house: House, job: dict[str, Any]) -> Iterator[_Input]:
    for given in job.get("ProcessingInputs", []):
        path = local_path(given)
        if path:
            found = read_sources(house, given["S3Input"]["S3DataType"], given["S3Input"]["S3Uri"])
            if is_pipe(given):
                found = [each for each in found if not each.is_directory]
            yield _Input(path, given, found)
