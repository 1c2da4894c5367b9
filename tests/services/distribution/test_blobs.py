"""Blobs by the rules of the OCI distribution specification, over raw HTTP."""

import base64
import http.client
import os
import socket
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.pictures import digest_of, picture
from tests.services.distribution.conftest import Answer, Client

CONTENT = os.urandom(100_000)
DIGEST = digest_of(CONTENT)


def test_a_blob_comes_by_post_and_put(client: Client) -> None:
    place = client.start()
    stored = client.call("PUT", f"{place}?digest={DIGEST}", CONTENT, Content_Type="application/octet-stream")
    assert stored.status == 201
    assert stored.headers["docker-content-digest"] == DIGEST
    read = client.call("GET", stored.headers["location"])
    assert (read.status, read.body) == (200, CONTENT)
    assert read.headers["docker-content-digest"] == DIGEST
    assert client.call("GET", place).code == "BLOB_UPLOAD_UNKNOWN"


def test_a_blob_comes_by_one_post(client: Client) -> None:
    assert client.call("HEAD", f"blobs/{DIGEST}").status == 404
    stored = client.call("POST", f"blobs/uploads/?digest={DIGEST}", CONTENT)
    assert stored.status == 201
    assert client.call("GET", stored.headers["location"]).body == CONTENT
    asked = client.call("HEAD", f"blobs/{DIGEST}")
    assert (asked.status, asked.headers["content-length"], asked.body) == (200, str(len(CONTENT)), b"")
    assert client.push_blob(b"") == digest_of(b"")
    assert client.call("GET", f"blobs/{digest_of(b'')}").body == b""


def test_a_blob_comes_in_chunks(client: Client) -> None:
    place = client.start()
    first = client.call("PATCH", place, CONTENT[:40_000], Content_Range="0-39999")
    assert (first.status, first.headers["range"]) == (202, "0-39999")
    asked = client.call("GET", place)
    assert (asked.status, asked.headers["range"], asked.headers["location"]) == (204, "0-39999", place)
    second = client.call("PATCH", first.headers["location"], CONTENT[40_000:70_000], Content_Range="40000-69999")
    assert second.headers["range"] == "0-69999"
    last = f"{second.headers['location']}?digest={DIGEST}"
    assert client.call("PUT", last, CONTENT[70_000:], Content_Range="70000-99999").status == 201
    assert client.call("GET", f"blobs/{DIGEST}").body == CONTENT


def test_a_chunk_out_of_its_place_is_refused(client: Client) -> None:
    place = client.start()
    assert client.call("PATCH", place, CONTENT[:10], Content_Range="0-9").status == 202
    for said in ("0-9", "11-20", "9-5", "nonsense"):
        refused = client.call("PATCH", place, CONTENT[:10], Content_Range=said)
        assert refused.status == 416
        assert refused.headers["range"] == "0-9"
    wrong_length = client.call("PATCH", place, CONTENT[:10], Content_Range="10-12")
    assert (wrong_length.status, wrong_length.code) == (400, "SIZE_INVALID")
    assert client.call("PUT", f"{place}?digest={DIGEST}", b"x", Content_Range="5-5").status == 416
    assert client.call("GET", place).headers["range"] == "0-9"


def test_a_cancelled_upload_is_gone(client: Client) -> None:
    place = client.start()
    assert client.call("DELETE", place).status == 204
    for method in ("GET", "DELETE", "PATCH"):
        answer = client.call(method, place, b"x" if method == "PATCH" else None)
        assert (answer.status, answer.code) == (404, "BLOB_UPLOAD_UNKNOWN")


def test_an_upload_is_its_repositorys_own(client: Client, ecr: Any) -> None:
    place = client.start()
    other = f"{client.name}-other"
    ecr.create_repository(repositoryName=other)
    try:
        stray = client.elsewhere(other).call("PATCH", f"/v2/{other}/blobs/uploads/{place.rpartition('/')[2]}", b"x")
        assert stray.code == "BLOB_UPLOAD_UNKNOWN"
    finally:
        ecr.delete_repository(repositoryName=other, force=True)


@pytest.mark.parametrize(
    "upload", ["0b3f2c1e-5d84-4c6a-9f10-7a2e6d8c4b55", "..", "%2e%2e%2fcredentials", "..%2f..%2fcredentials", "%00"]
)
def test_an_upload_that_nobody_began_is_unknown(client: Client, upload: str) -> None:
    for method in ("GET", "PATCH", "PUT", "DELETE"):
        answer = client.call(method, f"blobs/uploads/{upload}?digest={DIGEST}", b"x")
        assert answer.status == 404


def test_bytes_of_another_digest_are_refused_and_forgotten(client: Client) -> None:
    wrong = digest_of(b"something else")
    place = client.start()
    refused = client.call("PUT", f"{place}?digest={wrong}", CONTENT)
    assert (refused.status, refused.code) == (400, "DIGEST_INVALID")
    assert client.call("GET", place).status == 404
    assert client.call("POST", f"blobs/uploads/?digest={wrong}", CONTENT).code == "DIGEST_INVALID"
    assert client.call("HEAD", f"blobs/{wrong}").status == 404
    assert client.call("HEAD", f"blobs/{DIGEST}").status == 404
    for digest in ("sha256:abc", "md5:" + "0" * 32, "sha512:" + "0" * 128, "x"):
        assert client.call("POST", f"blobs/uploads/?digest={digest}", CONTENT).code == "DIGEST_INVALID"
        assert client.call("GET", f"blobs/{digest}").code == "DIGEST_INVALID"
    assert client.call("PUT", client.start(), CONTENT).code == "DIGEST_INVALID"


def test_ranges_of_a_blob(client: Client) -> None:
    place = f"blobs/{client.push_blob(CONTENT)}"
    for said, expected, where in (
        ("bytes=0-9", CONTENT[:10], "bytes 0-9/100000"),
        ("bytes=99990-", CONTENT[-10:], "bytes 99990-99999/100000"),
        ("bytes=-5", CONTENT[-5:], "bytes 99995-99999/100000"),
        ("bytes=99999-200000", CONTENT[-1:], "bytes 99999-99999/100000"),
    ):
        part = client.call("GET", place, Range=said)
        assert (part.status, part.body, part.headers["content-range"]) == (206, expected, where)
    assert client.call("GET", place, Range="lines=1-2").status == 200
    beyond = client.call("GET", place, Range="bytes=100000-")
    assert (beyond.status, beyond.headers["content-range"]) == (416, "bytes */100000")


def test_a_blob_is_mounted_from_another_repository_or_has_to_be_sent(client: Client, ecr: Any) -> None:
    client.push_blob(CONTENT)
    other = f"{client.name}-mounting"
    ecr.create_repository(repositoryName=other)
    try:
        mounting = client.elsewhere(other)
        mounted = mounting.call("POST", f"blobs/uploads/?mount={DIGEST}&from={client.name}")
        assert mounted.status == 201
        assert mounting.call("GET", mounted.headers["location"]).body == CONTENT
        for source in (f"from={client.name}-nobody-made", f"from={client.name}", "from="):
            digest = digest_of(b"nobody has it")
            sent = mounting.call("POST", f"blobs/uploads/?mount={digest}&{source}")
            assert sent.status == 202
            assert mounting.call("PUT", f"{sent.headers['location']}?digest={DIGEST}", CONTENT).status == 201
        assert mounting.call("POST", f"blobs/uploads/?mount={DIGEST}").status == 202
    finally:
        ecr.delete_repository(repositoryName=other, force=True)
    assert client.call("GET", f"blobs/{DIGEST}").body == CONTENT


def test_a_blob_is_deleted_unless_an_image_names_it(client: Client) -> None:
    made = picture({"a": b"a"})
    client.push(made, "v1")
    named = digest_of(made.layer)
    refused = client.call("DELETE", f"blobs/{named}")
    assert (refused.status, refused.code) == (405, "UNSUPPORTED")
    assert client.call("DELETE", f"manifests/{made.digest}").status == 202
    assert client.call("DELETE", f"blobs/{named}").status == 202
    gone = client.call("GET", f"blobs/{named}")
    assert (gone.status, gone.code) == (404, "BLOB_UNKNOWN")
    assert client.call("DELETE", f"blobs/{named}").status == 404


def test_who_breaks_off_goes_on_where_it_ended(client: Client) -> None:
    place, content = client.start(), os.urandom(4 << 20)
    address = urlsplit(client.url)
    with socket.create_connection((address.hostname, address.port)) as broken:
        head = f"PATCH {place} HTTP/1.1\r\nHost: x\r\nAuthorization: {client.authorization}\r\n"
        broken.sendall(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content[: 3 << 20])
        while _end(client.call("GET", place)) < 1 << 20:
            continue
    # Its next request waits for the end of the first, and is told how far that came.
    came = _end(client.call("PATCH", place, b"", Content_Length="0")) + 1
    assert 1 << 20 <= came <= 3 << 20
    rest = client.call("PATCH", place, content[came:], Content_Range=f"{came}-{len(content) - 1}")
    assert rest.status == 202
    assert client.call("PUT", f"{place}?digest={digest_of(content)}").status == 201
    assert client.call("GET", f"blobs/{digest_of(content)}").body == content


def _end(answer: Answer) -> int:
    """The last byte that came."""
    return int(answer.headers["range"].partition("-")[2])


@pytest.mark.parametrize("authorization", ["", "Basic QVdTOng=", "Basic !", "Basic Ym9iOng=", "Bearer x", "Digest x"])
def test_who_is_not_logged_in_is_told_how(client: Client, authorization: str) -> None:
    connection = http.client.HTTPConnection(urlsplit(client.url).netloc, timeout=10)
    for method, path in (("GET", "/v2/"), ("POST", f"/v2/{client.name}/blobs/uploads/"), ("GET", "/v2/_catalog")):
        connection.request(method, path, headers={"Authorization": authorization} if authorization else {})
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status == 401
        assert answer.headers["Www-Authenticate"].startswith('Basic realm="http://')
        assert b"UNAUTHORIZED" in body
    connection.close()


def test_the_password_is_a_bearer_token_too(client: Client) -> None:
    password = base64.b64decode(client.authorization.partition(" ")[2]).decode().partition(":")[2]
    client.authorization = f"Bearer {password}"
    version = client.call("GET", "/v2/")
    assert (version.status, version.headers["docker-distribution-api-version"]) == (200, "registry/2.0")
