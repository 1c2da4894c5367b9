"""Channels and archives that are downloaded, from a server that also fails."""

import http.server
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from clary.engines.process import ProcessEngine
from clary.instance import transfer
from clary.instance.errors import Refused, StopAsked
from clary.instance.fetch import fetch_all
from clary.instance.spec import Source
from tests.engines.instances import Watch, program, texts


class Handler(http.server.BaseHTTPRequestHandler):
    asked: Counter[str]
    held: threading.Event

    def do_GET(self) -> None:
        self.asked[self.path] += 1
        if self.path == "/flaky" and self.asked[self.path] < 3:
            return self._answer(503, b"later")
        if self.path == "/missing":
            return self._answer(404, b"no")
        if self.path == "/held":
            self.held.wait(20)
        return self._answer(200, self.path.encode())

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
    Handler.asked, Handler.held = Counter(), threading.Event()
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
