"""Describe, List and Create per second (P3) beside moto's server, and List where there are 100,000 training jobs.

    python -m benchmarks.control_plane [seconds] [jobs]

Signed calls over eight connections. The finished jobs are laid into each server's own store beforehand: creating
them through the API would run them. Create is CreateModel, which starts nothing in either. moto checks no
signature, keeps everything in memory and closes each connection after its answer.
"""

import secrets
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from rich.console import Console
from rich.table import Table
from tests.platform import Platform

from benchmarks.load import Load, measure
from benchmarks.peer import NoPeer, serving
from benchmarks.signed import signed
from clary.database import open_database
from clary.records.record import Record, Scope
from clary.records.rows import to_row
from clary.records.store import Records
from clary.records.tables import events, records
from clary.services.sagemaker.training.kind import COMPLETED, MESSAGES, STARTING, TRAINING_JOB
from clary.settings import Settings

FEW = 1_000
CONNECTIONS = 8
CREATES = 20_000
SCOPE = Scope("123456789012", "us-east-1")
ROLE = f"arn:aws:iam::{SCOPE.account}:role/SageMakerRole"
IMAGE = f"{SCOPE.account}.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"


def job(number: int, now: float) -> Record:
    name = f"job-{number:06d}"
    document = {
        "HyperParameters": {"num_round": "2"},
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "RoleArn": ROLE,
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/output", "KmsKeyId": ""},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    }
    arn = f"arn:aws:sagemaker:{SCOPE.region}:{SCOPE.account}:training-job/{name}"
    created = now - 1_000_000 + number
    return Record(
        secrets.token_hex(8), TRAINING_JOB.name, SCOPE, name, arn, COMPLETED, document, created, created, version=1
    )


def seed(state: Path, count: int) -> None:
    database = open_database(Settings(state=state).database_url)
    Records(database)  # Makes the tables.
    now = time.time()
    jobs = [job(number, now) for number in range(count)]
    with database.begin() as connection:
        connection.execute(records.insert(), [to_row(job) for job in jobs])
        connection.execute(events.insert(), [event for job in jobs for event in passages(job)])
    database.dispose()


def passages(job: Record) -> list[dict[str, Any]]:
    return [
        {
            "record": job.id,
            "at": job.created,
            "status": state.status,
            "secondary": state.secondary,
            "message": MESSAGES[state],
        }
        for state in (STARTING, COMPLETED)
    ]


@contextmanager
def clary(jobs: int) -> Iterator[tuple[int, Any]]:
    """The port of a platform with that many finished jobs, and a client of it."""
    with tempfile.TemporaryDirectory() as directory:
        seed(Path(directory), jobs)
        platform = Platform(Path(directory)).up()
        try:
            yield int(platform.url.rpartition(":")[2]), platform.client("sagemaker")
        finally:
            platform.down()


@contextmanager
def moto(jobs: int) -> Iterator[tuple[int, Any]]:
    with serving("moto_seeded", str(jobs)) as port:
        client = boto3.client(
            "sagemaker",
            region_name=SCOPE.region,
            endpoint_url=f"http://127.0.0.1:{port}",
            aws_access_key_id="any",
            aws_secret_access_key="any",
            config=Config(retries={"total_max_attempts": 1}),
        )
        yield port, client


def creates(client: Any) -> list[bytes]:
    container = {"Image": IMAGE, "ModelDataUrl": "s3://bucket/output/model.tar.gz"}
    run = secrets.token_hex(4)
    return [
        signed(
            client,
            "create_model",
            ModelName=f"model-{run}-{number}",
            PrimaryContainer=container,
            ExecutionRoleArn=ROLE,
        )
        for number in range(CREATES)
    ]


def measure_rates(port: int, client: Any, seconds: float) -> dict[str, Load]:
    """With few jobs: row of the table → what the server bore."""
    describe = signed(client, "describe_training_job", TrainingJobName="job-000500")
    first_page = signed(client, "list_training_jobs")
    return {
        "Describe a training job": bear(port, describe, CONNECTIONS, seconds),
        "List 10 of 1,000": bear(port, first_page, CONNECTIONS, seconds),
        "Create a model": bear(port, creates(client), CONNECTIONS, seconds),
    }


def measure_lists(port: int, client: Any, jobs: int, seconds: float) -> dict[str, Load]:
    """With many jobs, one call at a time."""
    token = client.list_training_jobs(SortBy="Name", MaxResults=100)["NextToken"]
    calls: dict[str, dict[str, Any]] = {
        f"List 100 of {jobs:,}": {"MaxResults": 100},
        "  the next page": {"SortBy": "Name", "MaxResults": 100, "NextToken": token},
        "  by status": {"StatusEquals": "Completed", "MaxResults": 100},
        "  by a part of the name": {"NameContains": f"{jobs - 1}"},
    }
    return {
        row: bear(port, signed(client, "list_training_jobs", **parameters), 1, seconds)
        for row, parameters in calls.items()
    }


def bear(port: int, request: bytes | list[bytes], connections: int, seconds: float) -> Load:
    load = measure(port, request, connections, seconds)
    if load.refused:
        raise SystemExit(f"{load.refused} calls were refused")
    return load


def measure_server(server: Any, seconds: float, jobs: int) -> dict[str, Load]:
    with server(FEW) as (port, client):
        loads = measure_rates(port, client, seconds)
    with server(jobs) as (port, client):
        return {**loads, **measure_lists(port, client, jobs, seconds)}


def main(seconds: float, jobs: int) -> None:
    ours = measure_server(clary, seconds, jobs)
    title = "The control plane's calls per second"
    try:
        theirs = measure_server(moto, seconds, jobs)
    except NoPeer as why:
        theirs, title = {}, f"{title} (moto: {why})"
    table = Table("", "Clary /s", "p50 ms", "moto /s", "p50 ms", "ratio", title=title)
    for row, load in ours.items():
        cells = [f"{load.rate:,.0f}", f"{load.p50 * 1e3:.2f}"]
        if peer := theirs.get(row):
            cells += [f"{peer.rate:,.0f}", f"{peer.p50 * 1e3:.2f}", f"{load.rate / peer.rate:.1f}"]
        table.add_row(row, *cells)
    Console().print(table)


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 3.0, int(sys.argv[2]) if len(sys.argv) > 2 else 100_000)
