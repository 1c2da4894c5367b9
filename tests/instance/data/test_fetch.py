"""Channels and archives that are downloaded, from a server that also fails."""

import hashlib
import http.server
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from clary.engines.process import ProcessEngine
from clary.instance.data import fetch, transfer
from clary.instance.data.fetch import fetch_all
from clary.instance.errors import Refused, StopAsked
from clary.instance.spec import Source
from tests.engines.instances import Watch, program, texts

WHOLE = bytes(range(256)) * 16384


class Handler(http.server.BaseHTTPRequestHandler):
    asked: Counter[str]
    held: threading.Event
    ranges: list[tuple[str | None, str | None]]

    def do_GET(self) -> None:
        self.asked[self.path] += 1
        if self.path == "/flaky" and self.asked[self.path] < 3:
            return self._answer(503, b"later")
        if self.path == "/missing":
            return self._answer(404, b"no")
        if self.path in ("/broken", "/replaced"):
            return self._break_off()
        if self.path == "/rotten":
            return self._answer(200, b"rotten", ETag=f'"{"0" * 32}"')
        if self.path == "/held":
            self.held.wait(20)
        return self._answer(200, self.path.encode())

    def _break_off(self) -> None:
        """Half of `WHOLE` first; then what is asked for, of a body that may have been replaced meanwhile."""
        etag = f'"{hashlib.md5(WHOLE).hexdigest()}"'
        if self.asked[self.path] == 1:
            return self._answer(200, WHOLE, half=True, ETag=etag)
        self.ranges.append((self.headers.get("Range"), self.headers.get("If-Range")))
        if self.path == "/replaced":
            return self._answer(200, b"another", ETag=f'"{hashlib.md5(b"another").hexdigest()}"')
        return self._answer(206, WHOLE[len(WHOLE) // 2 :], ETag=etag)

    def _answer(self, status: int, body: bytes, *, half: bool = False, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if half else body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(transfer, "BACKOFF", 0.01)
    Handler.asked, Handler.held, Handler.ranges = Counter(), threading.Event(), []
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        Handler.held.set()
        server.shutdown()


def nothing() -> None:
    pass


def test_downloads_and_retries(server: str, tmp_path: Path) -> None:
    fetch_all({str(tmp_path / name): Source(name, f"{server}/{name}") for name in ("plain", "flaky")}, nothing)
    assert (tmp_path / "plain").read_text() == "/plain"
    assert (tmp_path / "flaky").read_text() == "/flaky"
    assert Handler.asked["/flaky"] == 3


def test_a_download_that_broke_off_goes_on(server: str, tmp_path: Path) -> None:
    fetch_all({str(tmp_path / "x"): Source("x", f"{server}/broken", len(WHOLE))}, nothing)
    assert (tmp_path / "x").read_bytes() == WHOLE
    assert Handler.ranges == [(f"bytes={len(WHOLE) // 2}-", f'"{hashlib.md5(WHOLE).hexdigest()}"')]


def test_half_of_an_object_is_not_put_before_another(server: str, tmp_path: Path) -> None:
    fetch_all({str(tmp_path / "x"): Source("x", f"{server}/replaced")}, nothing)
    assert (tmp_path / "x").read_bytes() == b"another"


def test_what_came_wrong_is_not_taken(server: str, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="does not have the MD5 of what is stored"):
        fetch_all({str(tmp_path / "x"): Source("x", f"{server}/rotten")}, nothing)
    assert Handler.asked["/rotten"] == 2


def test_a_disk_that_is_full_is_not_waited_for(server: str) -> None:
    with pytest.raises(Refused, match="No space left on device"):
        fetch_all({"/dev/full": Source("x", f"{server}/broken")}, nothing)


def test_many_that_wait_say_it_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "BACKOFF", 0.01)
    monkeypatch.setattr(fetch, "PATIENCE", 0.1)
    said: list[str] = []
    with pytest.raises(Refused, match="Connection refused"):
        fetch_all({str(tmp_path / n): Source(n, "http://127.0.0.1:9/x") for n in "abc"}, nothing, said.append)
    assert len(said) == 1
    assert said[0].endswith(" waits: Connection refused.")


def test_what_is_missing_is_named_at_once(server: str, tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"rows\.csv: Not Found \(404\)"):
        fetch_all({str(tmp_path / "x"): Source("rows.csv", f"{server}/missing")}, nothing)
    assert Handler.asked["/missing"] == 1


def test_a_short_body_is_not_taken(server: str, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="6 bytes of 7 came"):
        fetch_all({str(tmp_path / "x"): Source("plain", f"{server}/plain", 7)}, nothing)


def test_a_wish_to_stop_ends_it(server: str, tmp_path: Path) -> None:
    def check() -> None:
        Handler.held.set()
        raise StopAsked

    with pytest.raises(StopAsked):
        fetch_all({str(tmp_path / "x"): Source("held", f"{server}/held")}, check)


def test_an_instance_stops_while_it_downloads(server: str, tmp_path: Path) -> None:
    engine = ProcessEngine(tmp_path / "instances", tmp_path / "layers")
    watch = Watch(engine)
    spec = program("print('never')", channels={"/opt/ml/input/data/train": [Source("held", f"{server}/held")]})
    engine.start([spec])
    watch.until(lambda: Handler.asked["/held"])
    engine.stop(spec.id)
    status = watch.done(spec)
    assert status.outcome == "Stopped"
    assert "Running" not in status.entered
    assert texts(engine, spec) == []
