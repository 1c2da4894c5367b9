"""The S3 services that the conformance suite runs on: Clary's own and, among the slow tests, SeaweedFS."""

import itertools
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config

from tests.platform import Platform
from tests.services.s3.seaweedfs import DEVIATIONS, WEED, SeaweedFS

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def seaweedfs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeaweedFS]:
    if not WEED.exists():
        pytest.skip("SeaweedFS is not installed: make bench-environment")
    started = SeaweedFS(tmp_path_factory.mktemp("seaweedfs")).up()
    yield started
    started.down()


@pytest.fixture(scope="session")
def clary_s3(platform: Platform) -> Any:
    return platform.client("s3", max_pool_connections=20)


@pytest.fixture(scope="session")
def seaweedfs_s3(seaweedfs: SeaweedFS) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=seaweedfs.url,
        region_name="us-east-1",
        aws_access_key_id=seaweedfs.access_key,
        aws_secret_access_key=seaweedfs.secret_key,
        config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
    )


@pytest.fixture(params=["clary", pytest.param("seaweedfs", marks=pytest.mark.slow)])
def s3(request: pytest.FixtureRequest) -> Any:
    """A boto3 client of each service in turn."""
    if request.param == "seaweedfs" and request.node.originalname in DEVIATIONS:
        request.applymarker(pytest.mark.xfail(reason="SeaweedFS differs from S3 here", strict=False))
    return request.getfixturevalue(f"{request.param}_s3")


@pytest.fixture
def bucket(s3: Any) -> str:
    """A new, empty bucket."""
    name = f"conformance-{next(_numbers)}"
    s3.create_bucket(Bucket=name)
    return name
