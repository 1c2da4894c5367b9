"""Outputs that are PUT, to a server that also fails."""

import base64
import hashlib
import http.server
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from clary.instance.data import transfer, upload
from clary.instance.errors import Refused, StopAsked

SIZE = 8 << 20
GONE = b"<Error><Code>NoSuchBucket</Code><Message>The specified bucket does not exist</Message></Error>"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    failures: list[str]
    stored: dict[str, bytes]

    def do_PUT(self) -> None:
        length = int(self.headers["Content-Length"])
        failure = self.failures.pop(0) if self.failures else ""
        self.close_connection = True
        if failure == "break":
            self.rfile.read(length // 2)
        elif failure == "busy":
            self.rfile.read(length)
            self._answer(503, b"")
        elif failure == "gone":
            self._answer(404, GONE)
        else:
            body = self.rfile.read(length)
            assert base64.b64decode(self.headers["Content-MD5"]) == hashlib.md5(body).digest()
            self.stored[self.path] = body
            self._answer(200, b"")

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(transfer, "BACKOFF", 0.01)
    Handler.failures, Handler.stored = [], {}
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    path = tmp_path / "model.tar.gz"
    path.write_bytes(os.urandom(SIZE))
    return path


def nothing(*_: object) -> None:
    pass


def test_it_is_sent_until_it_is_taken(server: str, packed: Path) -> None:
    Handler.failures = ["busy", "break", "busy"]
    said: list[str] = []
    assert upload.upload(str(packed), f"{server}/a?secret", nothing, said.append) == SIZE
    assert Handler.stored == {"/a?secret": packed.read_bytes()}
    assert len(said) == 3
    assert said[0] == "The upload of model.tar.gz waits: Service Unavailable (503)."
    assert "secret" not in "".join(said)


def test_an_empty_file(server: str, packed: Path) -> None:
    packed.write_bytes(b"")
    assert upload.upload(str(packed), f"{server}/a", nothing, nothing) == 0
    assert Handler.stored == {"/a": b""}


def test_a_refusal_before_the_body_was_read_is_heard(server: str, packed: Path) -> None:
    Handler.failures = ["gone"]
    with pytest.raises(Refused) as refused:
        upload.upload(str(packed), f"{server}/a", nothing, nothing)
    assert str(refused.value) == (
        "ClientError: Failed to upload artifacts: model.tar.gz: "
        "NoSuchBucket: The specified bucket does not exist (404)."
    )


def test_patience_ends(packed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "BACKOFF", 0.01)
    monkeypatch.setattr(upload, "PATIENCE", 0.2)
    with pytest.raises(Refused, match="Connection refused"):
        upload.upload(str(packed), "http://127.0.0.1:9/a", nothing, nothing)


def test_a_wish_ends_it(server: str, packed: Path) -> None:
    def check() -> None:
        raise StopAsked

    with pytest.raises(StopAsked):
        upload.upload(str(packed), f"{server}/a", check, nothing)
    assert not Handler.stored
