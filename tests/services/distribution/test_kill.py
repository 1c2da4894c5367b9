"""A platform that is killed in the middle of a push, and blobs larger than what a process should hold in memory."""

import hashlib
import http.client
import os
import re
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.pictures import digest_of, picture
from tests.platform import Platform
from tests.services.distribution.conftest import Client, login

NAME = "own/thing"
MIB = 1 << 20


@pytest.fixture
def own(own_platform: Platform) -> Client:
    own_platform.client("ecr").create_repository(repositoryName=NAME)
    return Client(own_platform.url, NAME, login(own_platform))


def end_of(client: Client, place: str) -> int:
    """How many bytes of an upload have come."""
    last = int(client.call("GET", place).headers["range"].partition("-")[2])
    return last + 1 if last else 0


def test_a_push_goes_on_after_the_platform_was_killed(own_platform: Platform, own: Client) -> None:
    content = os.urandom(8 * MIB)
    place, killed = own.start(), threading.Event()

    def half() -> Iterator[bytes]:
        for start in range(0, 6 * MIB, MIB):
            yield content[start : start + MIB]
        killed.wait(60)

    def send() -> None:
        connection = http.client.HTTPConnection(urlsplit(own.url).netloc, timeout=60)
        headers = {"Authorization": own.authorization, "Content-Length": str(len(content))}
        with suppress(OSError, http.client.HTTPException):
            connection.request("PATCH", place, half(), headers)

    sender = threading.Thread(target=send)
    sender.start()
    while end_of(own, place) < 4 * MIB:
        continue
    own_platform.kill()
    killed.set()
    sender.join()
    own_platform.up()
    # The log-in and the upload outlive the platform.
    again = Client(own_platform.url, NAME, own.authorization)
    came = end_of(again, place)
    assert 4 * MIB <= came <= 6 * MIB
    rest = f"{came}-{len(content) - 1}"
    assert again.call("PUT", f"{place}?digest={digest_of(content)}", content[came:], Content_Range=rest).status == 201
    assert again.call("GET", f"blobs/{digest_of(content)}").body == content


def test_an_image_outlives_a_kill(own_platform: Platform, own: Client) -> None:
    made = picture({"a": os.urandom(100_000)})
    own.push(made, "v1")
    own_platform.kill()
    own_platform.up()
    again = Client(own_platform.url, NAME, own.authorization)
    assert again.call("GET", "manifests/v1").body == made.manifest
    for blob in made.blobs:
        assert again.call("GET", f"blobs/{digest_of(blob)}").body == blob


def test_a_large_blob_takes_no_memory(own_platform: Platform, own: Client) -> None:
    piece, number = os.urandom(4 * MIB), 64
    digest = hashlib.sha256()
    for _ in range(number):
        digest.update(piece)
    own.call("GET", "/v2/")
    before = peak_of(own_platform.pid)
    headers = {"Content_Length": str(number * len(piece))}
    name = f"sha256:{digest.hexdigest()}"
    pushed = own.call("POST", f"blobs/uploads/?digest={name}", (piece for _ in range(number)), **headers)
    assert pushed.status == 201
    own.connection.request("GET", f"/v2/{NAME}/blobs/{name}", headers={"Authorization": own.authorization})
    answer, pulled = own.connection.getresponse(), hashlib.sha256()
    while part := answer.read(MIB):
        pulled.update(part)
    assert pulled.digest() == digest.digest()
    assert peak_of(own_platform.pid) - before < 48 * MIB


def peak_of(pid: int) -> int:
    """The most memory that a process has had, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    match = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert match
    return int(match[1]) << 10
