"""Real servers behind the proxy: one in the platform's place that answers with what it was sent."""

import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from clary.cli.proxy.authority import Authority
from clary.cli.proxy.outside import Outside


class Echo(BaseHTTPRequestHandler):
    """Answers with the request line and headers as JSON in a header of its own, and with the body as sent."""

    protocol_version = "HTTP/1.1"
    name = "platform"

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        seen = {"server": self.name, "line": self.requestline, "headers": dict(self.headers)}
        self.send_response(200)
        self.send_header("X-Seen", json.dumps(seen))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_PUT = do_GET

    def log_message(self, *_: object) -> None:
        """Tests print nothing."""


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler], context: ssl.SSLContext | None = None) -> Iterator[int]:
    """A server with `handler` on the port yielded."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.fixture(autouse=True)
def _no_user_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.open(tmp_path / "ca")


@pytest.fixture
def trusting(authority: Authority) -> ssl.SSLContext:
    """A client that trusts `authority` and nobody else, as strictly as Python knows."""
    context = ssl.create_default_context(cadata=authority.certificate.decode())
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


@pytest.fixture
def platform() -> Iterator[int]:
    with serving(Echo) as port:
        yield port


@pytest.fixture
def outside() -> Outside:
    return Outside()
