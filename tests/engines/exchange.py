"""Where tests of engines put what instances read, and find what they left: on the disk, or by URL where an engine's
instances do not share it."""

import http.server
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, unquote

from clary.engines.base import Engine
from clary.instance.data.packing import unpack
from clary.instance.spec import InstanceSpec, Output


class Exchange:
    """By files."""

    def location(self, path: Path) -> str:
        return str(path)

    def output(self, name: str, directory: str, *, packed: bool = True) -> Output:
        return Output(name, directory, packed)

    def kept(self, engine: Engine, spec: InstanceSpec, name: str) -> Path | None:
        return engine.output(spec.id, name)


class HttpExchange(Exchange):
    """By GET and PUT; nothing of an instance's directory is looked at."""

    def __init__(self, url: str, directory: Path) -> None:
        self._url = url
        self._directory = directory

    def location(self, path: Path) -> str:
        return self._url + quote(str(path))

    def output(self, name: str, directory: str, *, packed: bool = True) -> Output:
        return Output(name, directory, packed, self._url + quote(str(self._directory / uuid.uuid4().hex)))

    def kept(self, engine: Engine, spec: InstanceSpec, name: str) -> Path | None:
        stored = engine.poll(spec.id).stored
        if name not in stored:
            return None
        output = next(output for output in spec.outputs if output.name == name)
        path = Path(unquote(output.destination.removeprefix(self._url)))
        assert path.stat().st_size == stored[name]
        if output.packed:
            return path
        unpack(str(path), f"{path}.unpacked", lambda: None)
        return Path(f"{path}.unpacked")


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        path = Path(unquote(self.path))
        if not path.is_file():
            return self.send_error(404)
        body = path.read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        return None

    def do_PUT(self) -> None:
        Path(unquote(self.path)).write_bytes(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def exchange_of(engine: Engine, directory: Path) -> Iterator[Exchange]:
    """The one that the engine's instances can use."""
    if engine.shares_disk:
        yield Exchange()
        return
    directory.mkdir()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield HttpExchange(f"http://127.0.0.1:{server.server_port}", directory)
        server.shutdown()
