"""What of a mirrored directory is sent and when, to a server that reads forms."""

import contextlib
import http.server
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from clary.instance.data import mirrors, transfer
from clary.instance.data.mirrors import Mirrors
from clary.instance.errors import Refused, StopAsked
from clary.instance.layout import Layout
from clary.instance.spec import Mirror
from tests.programs import wait_until

GONE = b"<Error><Code>NoSuchBucket</Code><Message>The specified bucket does not exist</Message></Error>"


class Handler(http.server.BaseHTTPRequestHandler):
    failures: list[int]
    stored: list[tuple[str, bytes]]
    hold: threading.Event
    """A body is read on only once this is set."""
    held: threading.Event

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        first = self.rfile.read(min(length, 64 << 10))
        self.held.set()
        self.hold.wait(10)
        body = first + self.rfile.read(length - len(first))
        if len(body) < length:
            return
        status = self.failures.pop(0) if self.failures else 204
        if status == 204:
            self.stored.append(_read_form(self.headers["Content-Type"], body))
        self.send_response(status)
        self.end_headers()
        self.wfile.write(b"" if status == 204 else GONE)

    def log_message(self, *_: object) -> None:
        pass


def _read_form(kind: str, body: bytes) -> tuple[str, bytes]:
    boundary = kind.partition("boundary=")[2].encode()
    *parts, end = body.split(b"--" + boundary)
    assert end == b"--\r\n"
    fields = [part.removesuffix(b"\r\n").partition(b"\r\n\r\n") for part in parts[1:]]
    values = {head.split(b'"')[1]: value for head, _, value in fields}
    assert list(values) == [b"policy", b"key", b"file"]
    assert values[b"policy"] == b"signed"
    return values[b"key"].decode(), values[b"file"]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(transfer, "BACKOFF", 0.01)
    monkeypatch.setattr(mirrors, "INTERVAL", 0.02)
    monkeypatch.setattr(mirrors, "STILL", 0.1)
    Handler.failures, Handler.stored = [], []
    Handler.hold, Handler.held = threading.Event(), threading.Event()
    Handler.hold.set()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/bucket"
        server.shutdown()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    path = tmp_path / "ml" / "checkpoints"
    path.mkdir(parents=True)
    return path


def following(directory: Path, url: str, said: list[str], wish: list[str]) -> Mirrors:
    def check() -> None:
        if wish:
            raise StopAsked

    mirror = Mirror("/opt/ml/checkpoints", url, "a/", {"policy": "signed"})
    made = Mirrors([mirror], Layout(str(directory.parent.parent)), check, said.append)
    made.start()
    return made


def test_files_are_sent_once_they_are_still_and_again_when_they_change(server: str, directory: Path) -> None:
    (directory / "there").write_text("before")
    followed = following(directory, server, [], [])
    (directory / "deep").mkdir()
    (directory / "deep/é 'x\".bin").write_bytes(b"\r\none")
    wait_until(lambda: Handler.stored == [("a/deep/é 'x\".bin", b"\r\none")])
    # Same size, and a time in the past: it is another file all the same.
    (directory / "deep/fresh").write_bytes(b"\r\ntwo")
    os.utime(directory / "deep/fresh", (1, 1))
    os.replace(directory / "deep/fresh", directory / "deep/é 'x\".bin")
    wait_until(lambda: Handler.stored[1:] == [("a/deep/é 'x\".bin", b"\r\ntwo")])
    (directory / "empty").touch()
    followed.finish()
    assert Handler.stored[2:] == [("a/empty", b"")]


def test_a_file_that_is_being_written_is_not_sent_before_it_is_whole(server: str, directory: Path) -> None:
    followed = following(directory, server, [], [])
    with open(directory / "growing", "wb", buffering=0) as file:
        until = time.monotonic() + 0.5
        while time.monotonic() < until:
            file.write(b"x")
            time.sleep(0.01)
        assert Handler.stored == []
    followed.finish()
    assert Handler.stored == [("a/growing", (directory / "growing").read_bytes())]


def test_a_file_that_changes_while_it_is_sent_is_not_stored_so(server: str, directory: Path) -> None:
    Handler.hold.clear()
    (directory.parent / "big").write_bytes(b"a" * (32 << 20))
    followed = following(directory, server, [], [])
    os.rename(directory.parent / "big", directory / "big")
    Handler.held.wait(10)
    with open(directory / "big", "r+b") as file:
        file.write(b"b")
    Handler.hold.set()
    followed.finish()
    assert [(key, body[:2], len(body)) for key, body in Handler.stored] == [("a/big", b"ba", 32 << 20)]


def test_links_lead_nowhere(server: str, directory: Path) -> None:
    followed = following(directory, server, [], [])
    (directory.parent / "secret").write_text("secret")
    (directory.parent / "closed").mkdir()
    (directory.parent / "closed/secret").write_text("secret")
    (directory / "link").symlink_to("../secret")
    (directory / "directory").symlink_to("../closed")
    os.mkfifo(directory / "pipe")
    (directory / "plain").write_text("plain")
    followed.finish()
    assert Handler.stored == [("a/plain", b"plain")]


def test_failures_are_told_while_the_program_runs_and_tried_again_at_the_end(server: str, directory: Path) -> None:
    said: list[str] = []
    Handler.failures = [503]
    followed = following(directory, server, said, [])
    (directory / "file").write_text("text")
    wait_until(lambda: Handler.stored)
    assert said[0].startswith("/opt/ml/checkpoints/file is not stored yet: ")
    (directory / "file").write_text("other")
    Handler.failures = [503, 503]
    followed.finish()
    assert Handler.stored == [("a/file", b"text"), ("a/file", b"other")]


def test_what_is_refused_fails(server: str, directory: Path) -> None:
    followed = following(directory, server, [], [])
    (directory / "file").write_text("text")
    Handler.failures = [404] * 100
    with pytest.raises(Refused, match="NoSuchBucket: The specified bucket does not exist"):
        followed.finish()


def test_a_kill_ends_it_at_once(server: str, directory: Path) -> None:
    wish: list[str] = []
    Handler.hold.clear()
    (directory.parent / "big").write_bytes(b"a" * (32 << 20))
    followed = following(directory, server, [], wish)
    os.rename(directory.parent / "big", directory / "big")
    Handler.held.wait(10)
    wish.append("kill")
    with contextlib.suppress(StopAsked):
        followed.finish()
        pytest.fail("It was not ended.")
    Handler.hold.set()
    assert Handler.stored == []
