"""Instances that come after others: they have their room, their lasting directories and their unchanged channels."""

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from clary.engines.process import ProcessEngine
from clary.instance.spec import Source
from tests.engines.capability import sandbox_works
from tests.engines.instances import Watch, program, texts

CACHE = "/opt/ml/sagemaker/warmpoolcache"
DATA = "/opt/ml/input/data/train"
FIRST = f"open('{DATA}/a', 'w').write('changed')\nopen('{CACHE}/kept', 'w').write('kept')\nprint('wrote')\n"
SECOND = f"print(open('{DATA}/a').read(), open('{CACHE}/kept').read())\n"
WAITS = "print('ready')\ntime.sleep(600)\n"


class Shop(http.server.ThreadingHTTPServer):
    """Serves the same bytes at every path, and counts."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Counter)
        self.asked: list[str] = []


class Counter(http.server.BaseHTTPRequestHandler):
    server: Shop

    def do_GET(self) -> None:
        self.server.asked.append(self.path.partition("?")[0])
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"bytes")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def shop() -> Iterator[Shop]:
    with Shop() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


def engine_at(tmp_path: Path) -> ProcessEngine:
    return ProcessEngine(tmp_path / "instances", tmp_path / "layers", capacity="vcpus=2", oversubscribe=False)


def test_one_comes_after_another(tmp_path: Path, shop: Shop) -> None:
    if not sandbox_works():
        pytest.skip("channels are handed on where the machine has overlays")

    def channel(etag: str, signature: str) -> dict[str, list[Source]]:
        return {DATA: [Source("a", f"http://127.0.0.1:{shop.server_port}/a?{signature}", 5, etag=etag)]}

    engine = engine_at(tmp_path)
    first = program(FIRST, channels=channel("one", "signed"), lasting=[CACHE], vcpus=2)
    assert Watch(engine).run(first).outcome == "Completed"
    # Its room is its own, for this engine and for the next one, until another comes after it.
    waits = program(WAITS, vcpus=2, grace=0.1)
    engine.start([waits])
    assert engine.poll(waits.id).phase == "Pending"
    engine = engine_at(tmp_path)
    watch = Watch(engine)
    assert engine.places()[0].taken.vcpus == 2
    second = program(SECOND, channels=channel("one", "again"), lasting=[CACHE], vcpus=2, after=first.id)
    assert watch.run(second).outcome == "Completed"
    assert "bytes kept" in texts(engine, second)
    assert shop.asked == ["/a"]
    with pytest.raises(KeyError):
        engine.poll(first.id)
    # What has changed is staged in anew, and where nothing lasts the room is given on.
    third = program(SECOND, channels=channel("two", "again"), lasting=[CACHE], vcpus=2, after=second.id)
    assert watch.run(third).outcome == "Completed"
    assert shop.asked == ["/a", "/a"]
    assert engine.poll(waits.id).phase == "Pending"
    engine.release(third.id)
    watch.printed(waits, "ready")
    # Who comes after one that is gone starts as any other.
    late = program("print('ran')", lasting=[CACHE], after=third.id)
    engine.start([late])
    assert engine.poll(late.id).phase == "Pending"
    engine.release(waits.id)
    assert watch.done(late).outcome == "Completed"
