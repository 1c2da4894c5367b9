"""From a training job's document to what its instances are told.

The layout under /opt/ml and its configuration files are SageMaker's documented contract with training
containers ("How Amazon SageMaker Provides Training Information").
"""

import json
from collections.abc import Iterable
from typing import Any

from clary.control.house import House
from clary.images.table import UnknownImage, find_recipe, runs_script, train_command
from clary.instance.spec import Archive, InstanceSpec, Output
from clary.records.record import Record
from clary.services.sagemaker.errors import JobError
from clary.services.sagemaker.instances.environment import instance_environment
from clary.services.sagemaker.instances.images import MISSING, Program, listed_image, own_image, own_program
from clary.services.sagemaker.instances.inputs import locate
from clary.services.sagemaker.instances.types import instance_type
from clary.services.sagemaker.jobs.attempts import Attempt, instance_id
from clary.services.sagemaker.training.channels import DATA, Channel, read_channels
from clary.services.sagemaker.training.checkpoints import checkpoints_of
from clary.services.sagemaker.training.cluster import Member, members, resource_config
from clary.services.sagemaker.training.warm_pools import CACHE, CACHE_VARIABLE, lasting, predecessor

CONFIG = "/opt/ml/input/config"
MODEL = "/opt/ml/model"
OUTPUT_DATA = "/opt/ml/output/data"
CODE = "/opt/ml/code"
GRACE = 120.0
DEFAULT_MAX_RUNTIME = 24 * 3600
"""Seconds; what AWS documents for a job without a StoppingCondition."""


def training_instances(house: House, record: Record) -> list[InstanceSpec]:
    """The specs of the job's instances; raises `JobError` for what the user must mend."""
    job = record.document
    hyperparameters = job.get("HyperParameters", {})
    whole = float(job["StoppingCondition"].get("MaxRuntimeInSeconds", DEFAULT_MAX_RUNTIME))
    max_runtime = max(1.0, whole - Attempt.of(record).spent)
    all_channels = read_channels(house, job)
    program = _program(house, record, hyperparameters)
    environment = _environment(house, record, max_runtime)
    # An image of the user's own fetches and installs for itself.
    archives = [] if program.container else _code(house, hyperparameters, all_channels)
    cluster = members(job["ResourceConfig"])
    checkpoints, mirrors = checkpoints_of(house, job, max_runtime)

    def spec(member: Member) -> InstanceSpec:
        kind = instance_type(member.type)
        channels = {channel: place for channel in all_channels if (place := channel.place(member, cluster))}
        return InstanceSpec(
            id=instance_id(record, member.number),
            command=program.command,
            environment=environment,
            hostname=member.name,
            files=_configuration(
                hyperparameters, resource_config(member, cluster), channels, job.get("CheckpointConfig")
            ),
            channels={
                **{each.path: each.files(place) for each, place in channels.items() if each.is_files},
                **checkpoints,
            },
            mounts={each.path: each.mount for each in channels if each.mount},
            pipes={each.path: each.pipe(place) for each, place in channels.items() if each.mode == "Pipe"},
            archives=archives,
            requirements=[] if program.container else [f"{CODE}/requirements.txt"],
            outputs=outputs(record),
            mirrors=mirrors,
            image=program.image,
            container=program.container,
            judges=not (program.container or runs_script(hyperparameters, environment)),
            vcpus=kind.vcpus,
            memory=kind.memory,
            gpus=kind.gpus,
            isolated=job["EnableNetworkIsolation"],
            lasting=lasting(job),
            after=predecessor(job, member.number),
            max_runtime=max_runtime,
            grace=GRACE,
        )

    return [spec(member) for member in cluster]


def is_packed(record: Record) -> bool:
    """Whether what the job leaves becomes archives, and not the files that it is."""
    compression: str = record.document["OutputDataConfig"].get("CompressionType", "GZIP")
    return compression != "NONE"


def outputs(record: Record) -> list[Output]:
    if is_packed(record):
        return [Output("model.tar.gz", MODEL), Output("output.tar.gz", OUTPUT_DATA)]
    return [Output("model", MODEL, packed=False), Output("data", OUTPUT_DATA, packed=False)]


def _program(house: House, record: Record, hyperparameters: dict[str, str]) -> Program:
    algorithm = record.document["AlgorithmSpecification"]
    uri, arguments = algorithm["TrainingImage"], algorithm.get("ContainerArguments", [])
    try:
        own = own_image(house, record.scope, uri, MISSING)
        if own:
            return own_program(own, algorithm.get("ContainerEntrypoint"), arguments, ["train"])
        image, command = listed_image(house, record.scope, uri, MISSING), algorithm.get("ContainerEntrypoint")
        if command is None:
            command = ["python", *train_command(image, hyperparameters, record.document.get("Environment", {}))]
    except UnknownImage as error:
        raise JobError(f"ClientError: {error}") from None
    return Program([*command, *arguments], image=find_recipe(uri))


def _environment(house: House, record: Record, max_runtime: float) -> dict[str, str]:
    job = record.document
    credentials = instance_environment(
        house, record.scope, job["RoleArn"], session="SageMaker", seconds=int(max_runtime + GRACE)
    )
    return {
        **credentials,
        "TRAINING_JOB_NAME": record.name,
        "TRAINING_JOB_ARN": record.arn,
        **({CACHE_VARIABLE: CACHE} if lasting(job) else {}),
        **job.get("Environment", {}),
    }


def _configuration(
    hyperparameters: dict[str, str],
    resources: dict[str, Any],
    channels: Iterable[Channel],
    checkpoints: dict[str, str] | None,
) -> dict[str, str]:
    configured = {channel.name: channel.configuration() for channel in channels}
    return {
        f"{CONFIG}/hyperparameters.json": json.dumps(hyperparameters),
        f"{CONFIG}/resourceconfig.json": json.dumps(resources),
        f"{CONFIG}/inputdataconfig.json": json.dumps(configured),
        **({f"{CONFIG}/checkpointconfig.json": json.dumps(checkpoints)} if checkpoints else {}),
    }


def _code(house: House, hyperparameters: dict[str, str], channels: list[Channel]) -> list[Archive]:
    """The user's source archive, which script-mode containers fetch for themselves on AWS.

    It is an S3 object, or, for a job without a network, the file of a channel.
    """
    # The SDK encodes hyperparameters as JSON; users of boto3 write them plainly.
    submitted = hyperparameters.get("sagemaker_submit_directory", "").strip('"')
    if submitted.startswith(f"{DATA}/"):
        return [Archive(_of_channel(submitted, channels), CODE)]
    if submitted.startswith("s3://"):
        return [Archive(locate(house, submitted), CODE)]
    return []


def _of_channel(path: str, channels: list[Channel]) -> str:
    """Where the file lies that is to appear at `path`, below the directory of a channel."""
    directory, _, name = path.removeprefix(f"{DATA}/").partition("/")
    for channel in channels:
        for source in channel.files() if (channel.name, channel.mode) == (directory, "File") else []:
            if source.name == name:
                return source.location
    raise JobError(
        f'ClientError: sagemaker_submit_directory is {path}, and no channel "{directory}" has a file "{name}".'
    )
