"""The database or the disk fails under a running platform: clients are told to try again, and then it goes on."""

import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.platform import Platform
from tests.postgres import PostgresServer, postgres

CALLS: dict[str, Callable[[Any], Any]] = {
    "s3": lambda s3: s3.list_buckets(),
    "iam": lambda iam: iam.get_role(RoleName="Anyone"),
    "sagemaker": lambda sagemaker: sagemaker.list_models(),
    "logs": lambda logs: logs.describe_log_groups(),
    "cloudwatch": lambda cloudwatch: cloudwatch.list_metrics(),
    "ecr": lambda ecr: ecr.describe_repositories(),
}


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with postgres() as server:
        yield server


@pytest.fixture(scope="module")
def on_postgres(server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    platform = Platform(tmp_path_factory.mktemp("clary") / "state", "--database", server.url).up()
    yield platform
    platform.down()


@pytest.mark.slow
@pytest.mark.parametrize("service", CALLS)
def test_a_call_is_tried_again_until_the_database_is_back(
    server: PostgresServer, on_postgres: Platform, service: str
) -> None:
    CALLS[service](on_postgres.client(service))
    patient = patient_client(on_postgres, service)
    retried = threading.Event()
    patient.meta.events.register("needs-retry", lambda attempts, **_: retried.set() if attempts > 1 else None)
    server.stop()
    try:
        with pytest.raises(ClientError) as refused:
            CALLS[service](on_postgres.client(service))
        answers: list[Any] = []
        waiting = threading.Thread(target=lambda: answers.append(CALLS[service](patient)))
        waiting.start()
        assert retried.wait(30)
    finally:
        server.start()
    waiting.join(60)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
    assert refused.value.response["Error"]["Code"].startswith("ServiceUnavailable")
    assert [answer["ResponseMetadata"]["HTTPStatusCode"] for answer in answers] == [200]


def test_a_full_disk_refuses_an_upload_and_takes_one_that_fits(tmp_path: Path) -> None:
    state = tmp_path / "state"
    (state / "objects").mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(state / "objects")]
    if os.getuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("a small file system cannot be mounted here")
    platform = Platform(state)
    try:
        s3 = platform.up().client("s3")
        s3.create_bucket(Bucket="small")
        with pytest.raises(ClientError) as refused:
            s3.put_object(Bucket="small", Key="large", Body=bytes(4 << 20))
        assert refused.value.response["Error"]["Code"] == "ServiceUnavailable"
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
        s3.put_object(Bucket="small", Key="fits", Body=bytes(1 << 20))
        assert [each["Key"] for each in s3.list_objects_v2(Bucket="small")["Contents"]] == ["fits"]
    finally:
        platform.down()
        subprocess.run(["umount", str(state / "objects")], check=True)


def patient_client(platform: Platform, service: str) -> Any:
    access_key, secret_key = platform.keys()
    return boto3.client(
        service,
        region_name="us-east-1",
        endpoint_url=platform.url,
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
        config=Config(retries={"mode": "standard", "total_max_attempts": 12}),
    )
