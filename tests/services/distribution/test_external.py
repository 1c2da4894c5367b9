"""A registry whose blobs lie in an external S3, for which another Clary stands in."""

import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pictures import digest_of, picture
from tests.platform import Platform
from tests.services.distribution.conftest import Client, login


@pytest.fixture
def outside(platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    """A platform that keeps its objects in the S3 of `platform`."""
    access_key, secret_key = platform.keys()
    for name, value in (("ENDPOINT", platform.url), ("ACCESS_KEY", access_key), ("SECRET_KEY", secret_key)):
        monkeypatch.setenv(f"CLARY_S3_{name}", value)
    started = Platform(tmp_path / "outside").up()
    yield started
    started.down()


def test_blobs_go_to_an_external_s3_and_are_read_there(platform: Platform, outside: Platform) -> None:
    outside.client("ecr").create_repository(repositoryName="own/thing")
    client = Client(outside.url, "own/thing", login(outside))
    made = picture({"a": b"a"})
    assert client.push(made, "v1").status == 201
    keys = platform.client("s3").list_objects_v2(Bucket="clary-123456789012-us-east-1")["Contents"]
    assert {each["Key"] for each in keys} >= {f"blobs/{digest_of(blob)}" for blob in made.blobs}
    answer = client.call("GET", f"blobs/{digest_of(made.layer)}")
    assert (answer.status, answer.headers["location"].startswith(platform.url)) == (307, True)
    assert urllib.request.urlopen(answer.headers["location"]).read() == made.layer
    assert client.call("HEAD", f"blobs/{digest_of(made.layer)}").headers["content-length"] == str(len(made.layer))
