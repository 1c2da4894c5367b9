"""A repository of the shared platform, and a client that speaks plain HTTP to it."""

import base64
import http.client
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest

from tests.pictures import OCI_MANIFEST, Picture, digest_of
from tests.platform import Platform

NUMBERS = itertools.count()


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str:
        """Of an error in the documented form."""
        error = orjson.loads(self.body)["errors"][0]
        assert error["message"]
        code: str = error["code"]
        return code

    @property
    def document(self) -> Any:
        return orjson.loads(self.body)


@dataclass
class Client:
    """One repository, by raw HTTP."""

    url: str
    name: str
    authorization: str
    connection: http.client.HTTPConnection = field(init=False)

    def __post_init__(self) -> None:
        self.connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=30)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """`path` is below the repository's own; one that begins with `/` is whole."""
        target = path if path.startswith("/") else f"/v2/{self.name}/{path}"
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.authorization:
            named = {"Authorization": self.authorization, **named}
        self.connection.request(method, target, body, named)
        answer = self.connection.getresponse()
        return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())

    def start(self) -> str:
        """A new upload's place."""
        answer = self.call("POST", "blobs/uploads/")
        assert answer.status == 202
        return answer.headers["location"]

    def push_blob(self, content: bytes) -> str:
        digest = digest_of(content)
        answer = self.call("POST", f"blobs/uploads/?digest={digest}", content)
        assert answer.status == 201, answer
        return digest

    def push(self, made: Picture, reference: str) -> Answer:
        for blob in made.blobs:
            self.push_blob(blob)
        return self.call("PUT", f"manifests/{reference}", made.manifest, Content_Type=OCI_MANIFEST)

    def elsewhere(self, name: str) -> "Client":
        return Client(self.url, name, self.authorization)


def login(platform: Platform, region: str = "us-east-1") -> str:
    data = platform.client("ecr", region).get_authorization_token()["authorizationData"][0]
    token: str = data["authorizationToken"]
    assert base64.b64decode(token).startswith(b"AWS:")
    return f"Basic {token}"


@pytest.fixture(scope="module")
def ecr(platform: Platform) -> Any:
    return platform.client("ecr")


@pytest.fixture
def client(platform: Platform, ecr: Any) -> Iterator[Client]:
    name = f"team/thing-{next(NUMBERS)}"
    ecr.create_repository(repositoryName=name)
    made = Client(platform.url, name, login(platform))
    yield made
    made.connection.close()
    ecr.delete_repository(repositoryName=name, force=True)
