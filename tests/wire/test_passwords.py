"""Who logs in to the registry, and as whom."""

import base64
import time
from pathlib import Path
from urllib.parse import urlencode

import pytest

from clary.wire.credentials import KeyRing
from clary.wire.errors import ServiceError
from clary.wire.identify import protocol_of
from clary.wire.passwords import admit

from .requests import request

ROLE = "arn:aws:sts::123456789012:assumed-role/Builder/ci"


@pytest.fixture
def keys(tmp_path: Path) -> KeyRing:
    return KeyRing.open(tmp_path)


def basic(password: str, user: str = "AWS") -> dict[str, str]:
    return {"authorization": f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"}


def test_a_password_says_who_calls_and_for_which_region(keys: KeyRing, tmp_path: Path) -> None:
    password, until = keys.issue_password(ROLE, "eu-west-1", 60)
    assert until == pytest.approx(time.time() + 60, abs=5)
    for ring in (keys, KeyRing.open(tmp_path)):
        ticket = admit(request("GET", "/v2/", basic(password)), ring, time.time())
        assert (ticket.identity.arn, ticket.region) == (ROLE, "eu-west-1")
    assert admit(request("GET", "/v2/", {"authorization": f"Bearer {password}"}), keys, time.time()) == ticket


def test_what_is_no_password_lets_nobody_in(keys: KeyRing, tmp_path: Path) -> None:
    password, until = keys.issue_password(None, "us-east-1", 60)
    foreign, _ = KeyRing.open(tmp_path / "other").issue_password(None, "us-east-1", 60)
    session = keys.issue(None, 60).session_token
    given = [basic(foreign), basic(session), basic(password, "bob"), basic(password[:-4]), basic(""), {}]
    for headers in [*given, {"authorization": f"Basic {password}"}, {"authorization": "Basic"}]:
        with pytest.raises(ServiceError) as refused:
            admit(request("GET", "/v2/", headers), keys, time.time())
        assert (refused.value.code, refused.value.status) == ("UNAUTHORIZED", 401)
    with pytest.raises(ServiceError, match="expired"):
        admit(request("GET", "/v2/", basic(password)), keys, until)


def test_the_password_of_a_url_opens_that_alone(keys: KeyRing) -> None:
    password, _ = keys.issue_password(None, "us-east-1", 60, "/v2/a/blobs/x")
    query = urlencode({"access_token": password})
    assert admit(request("GET", f"/v2/a/blobs/x?{query}", {}), keys, time.time())
    for method, path in (("GET", "/v2/a/blobs/y"), ("DELETE", "/v2/a/blobs/x"), ("GET", "/v2/")):
        with pytest.raises(ServiceError):
            admit(request(method, f"{path}?{query}", {}), keys, time.time())


@pytest.mark.parametrize(
    ("target", "host", "protocol"),
    [
        ("/v2/", "127.0.0.1:7373", "oci"),
        ("/v2", "127.0.0.1:7373", "oci"),
        ("/v2/a/blobs/x", "123456789012.dkr.ecr.us-east-1.amazonaws.com", "oci"),
        ("/v2/key", "bucket.s3.us-east-1.amazonaws.com", "rest-xml"),
        ("/v2/key", "bucket.localhost:7373", "rest-xml"),
        ("/v22/key", "127.0.0.1:7373", "rest-xml"),
        ("/bucket/v2/", "127.0.0.1:7373", "rest-xml"),
    ],
)
def test_what_comes_unsigned_for_v2_is_the_registrys(target: str, host: str, protocol: str) -> None:
    assert protocol_of(request("GET", target, {"host": host}), None) == protocol
    assert protocol_of(request("GET", target, {"host": host}), "s3") == "rest-xml"
