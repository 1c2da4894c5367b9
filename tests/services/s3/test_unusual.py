"""Requests that boto3 would not make, signed and sent as other clients do."""

import hashlib
import re
from base64 import b64encode
from http.client import HTTPConnection
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.platform import Platform
from tests.services.s3.helpers import refused

pytestmark = pytest.mark.usefixtures("s3")

TAGGING = b"<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag></TagSet></Tagging>"
RULE = "<LifecycleConfiguration><Rule><Status>Enabled</Status><Filter/>{}</Rule></LifecycleConfiguration>"


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str:
        found = re.search(b"<Code>(.*)</Code>", self.body)
        return found[1].decode() if found else ""


@pytest.fixture(scope="module")
def s3(platform: Platform) -> Any:
    client = platform.client("s3")
    client.create_bucket(Bucket="unusual")
    client.put_object(Bucket="unusual", Key="key", Body=b"0123456789")
    return client


def ask(
    platform: Platform, method: str, target: str, headers: dict[str, str] | None = None, body: bytes = b""
) -> Answer:
    request = AWSRequest(method, platform.url + target, data=body, headers=headers or {})
    S3SigV4Auth(Credentials(*platform.keys()), "s3", "us-east-1").add_auth(request)
    connection = HTTPConnection(urlsplit(platform.url).netloc)
    connection.request(method, target, body, dict(request.headers))
    answer = connection.getresponse()
    return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())


@pytest.mark.parametrize(
    ("method", "target", "code"),
    [
        ("GET", "/?max-buckets=-1", "InvalidArgument"),
        ("GET", "/?max-buckets=0", "InvalidArgument"),
        ("GET", "/?max-buckets=10001", "InvalidArgument"),
        ("GET", "/unusual?encoding-type=base64", "InvalidArgument"),
        ("GET", "/unusual?list-type=2&encoding-type=base64", "InvalidArgument"),
        ("GET", "/unusual?uploads&encoding-type=base64", "InvalidArgument"),
        ("GET", "/unusual?max-keys=-1", "InvalidArgument"),
        ("GET", "/unusual?uploads&max-uploads=-1", "InvalidArgument"),
        ("GET", "/unusual?list-type=2&continuation-token=", "InvalidArgument"),
        ("GET", "/unusual/key?versionId=", "InvalidArgument"),
        ("GET", "/unusual/key?partNumber=0", "InvalidArgument"),
        ("GET", "/unusual/key?attributes", "InvalidRequest"),
    ],
)
def test_arguments_that_cannot_be(platform: Platform, method: str, target: str, code: str) -> None:
    answer = ask(platform, method, target)
    assert (answer.status, answer.code) == (400, code)


@pytest.mark.parametrize("query", ["partNumber=1", "uploadId=abc"])
def test_half_a_part_is_not_stored_as_an_object(s3: Any, platform: Platform, query: str) -> None:
    answer = ask(platform, "PUT", f"/unusual/half?{query}", body=b"part")
    assert (answer.status, answer.code) == (400, "InvalidArgument")
    with refused("404", 404):
        s3.head_object(Bucket="unusual", Key="half")


@pytest.mark.parametrize("kind", ["metadata", "tagging"])
def test_directives_that_a_copy_does_not_know(platform: Platform, kind: str) -> None:
    headers = {"x-amz-copy-source": "unusual/key", f"x-amz-{kind}-directive": "MERGE"}
    answer = ask(platform, "PUT", "/unusual/copy", headers)
    assert (answer.status, answer.code) == (400, "InvalidArgument")
    assert f"Unknown {kind} directive.".encode() in answer.body


def test_a_document_has_the_digest_that_is_said_of_it(s3: Any, platform: Platform) -> None:
    def put(md5: str) -> Answer:
        return ask(platform, "PUT", "/unusual?tagging", {"Content-MD5": md5}, TAGGING)

    assert put(b64encode(hashlib.md5(b"another").digest()).decode()).code == "BadDigest"
    assert put("nonsense").code == put("AAAA").code == "InvalidDigest"
    with refused("NoSuchTagSet", 404):
        s3.get_bucket_tagging(Bucket="unusual")
    assert put(b64encode(hashlib.md5(TAGGING).digest()).decode()).status == 204
    s3.delete_bucket_tagging(Bucket="unusual")


def test_a_document_of_another_kind_changes_nothing(s3: Any, platform: Platform) -> None:
    other = TAGGING.replace(b"Tagging>", b"Tags>")
    assert ask(platform, "PUT", "/unusual?tagging", body=other).code == "MalformedXML"
    with refused("NoSuchTagSet", 404):
        s3.get_bucket_tagging(Bucket="unusual")


@pytest.mark.parametrize(
    ("target", "headers", "name", "value"),
    [
        ("/unusual?max-keys=many", {}, "max-keys", "many"),
        ("/unusual/key?partNumber=one", {}, "partNumber", "one"),
        (
            "/unusual/key?attributes",
            {"x-amz-object-attributes": "ETag", "x-amz-max-parts": "all"},
            "x-amz-max-parts",
            "all",
        ),
    ],
)
def test_what_cannot_be_read_is_named(
    platform: Platform, target: str, headers: dict[str, str], name: str, value: str
) -> None:
    answer = ask(platform, "GET", target, headers)
    assert answer.code == "InvalidArgument"
    assert f"<ArgumentName>{name}</ArgumentName><ArgumentValue>{value}</ArgumentValue>".encode() in answer.body


def test_an_expected_owner_is_an_account(platform: Platform) -> None:
    answer = ask(platform, "GET", "/unusual/key", {"x-amz-expected-bucket-owner": "me"})
    assert (answer.status, answer.code) == (400, "InvalidBucketOwnerAWSAccountID")


def test_methods_that_are_allowed_are_named(platform: Platform) -> None:
    answer = ask(platform, "POST", "/unusual/key")
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD, PUT, DELETE")


def test_the_answer_to_a_head_that_fails_has_a_type_and_no_body(platform: Platform) -> None:
    answer = ask(platform, "HEAD", "/unusual/absent")
    assert (answer.status, answer.headers["content-type"], answer.body) == (404, "application/xml", b"")


@pytest.mark.parametrize(
    "action",
    [
        "<Expiration><Date>soon</Date></Expiration>",
        "<Expiration><Days>many</Days></Expiration>",
        "<Expiration/>",
        "<Transition><Days>1</Days></Transition>",
    ],
)
def test_lifecycle_documents_that_cannot_be_read(platform: Platform, action: str) -> None:
    answer = ask(platform, "PUT", "/unusual?lifecycle", body=RULE.format(action).encode())
    assert (answer.status, answer.code) == (400, "MalformedXML")
    assert ask(platform, "PUT", "/unusual?lifecycle").code == "MalformedXML"
