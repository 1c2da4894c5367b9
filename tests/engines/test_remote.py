"""What instances are that another machine reaches over the network."""

import http.client
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from clary.engines.process import ProcessEngine
from clary.instance.models import headers
from clary.instance.network.address import host_and_port
from clary.instance.spec import Models
from clary.toolkits import binding
from tests.engines.capability import needs_own_networks, sandbox_works
from tests.engines.conformance import EngineTestCase
from tests.engines.instances import Watch, program
from tests.engines.remote import NODE, RemoteProcessEngine

SERVER = (
    "import socket\n"
    "scheme, _, number = os.environ['CLARY_BIND'].partition(':')\n"
    "assert scheme == 'fd'\n"
    "server = socket.socket(fileno=int(number))\n"
    "server.listen()\n"
    "print('listening')\n"
    "while True:\n"
    "    server.accept()[0].sendall(b'pong')\n"
)


@pytest.fixture(params=["off", pytest.param("require", marks=pytest.mark.skipif(not sandbox_works(), reason="none"))])
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], RemoteProcessEngine]:
    return lambda: RemoteProcessEngine(tmp_path / "instances", tmp_path / "layers", request.param, bind=NODE)


@pytest.fixture
def engine(reopen: Callable[[], RemoteProcessEngine]) -> RemoteProcessEngine:
    return reopen()


@pytest.mark.skipif(not sandbox_works(), reason="this machine refuses a sandbox")
class TestConformance(EngineTestCase):
    @pytest.fixture
    def reopen(self, tmp_path: Path) -> Callable[[], RemoteProcessEngine]:
        return lambda: RemoteProcessEngine(tmp_path / "instances", tmp_path / "layers", "require", bind=NODE)


def ask(address: str) -> bytes:
    with socket.create_connection(host_and_port(address), 5) as client:
        return client.recv(4)


def test_each_server_has_an_address_of_its_own(
    engine: ProcessEngine, reopen: Callable[[], RemoteProcessEngine]
) -> None:
    specs = [program(SERVER, serves=True) for _ in range(2)]
    watch = Watch(engine)
    for spec in specs:
        engine.start([spec])
    for spec in specs:
        watch.printed(spec, "listening")
    addresses = [reopen().address(spec.id) for spec in specs]
    assert len(set(addresses)) == 2
    assert [ask(address) for address in addresses] == [b"pong"] * 2
    for spec, address in zip(specs, addresses, strict=True):
        engine.release(spec.id)
        with pytest.raises(ConnectionRefusedError):
            ask(address)


def test_nobody_is_let_in_before_the_program_listens(engine: ProcessEngine) -> None:
    spec = program("print('here')\ntime.sleep(60)\n" + SERVER, serves=True)
    watch = Watch(engine)
    engine.start([spec])
    watch.printed(spec, "here")
    with pytest.raises(ConnectionRefusedError):
        ask(engine.address(spec.id))
    engine.release(spec.id)


def test_a_server_without_a_network_is_reached(tmp_path: Path) -> None:
    if not sandbox_works():
        pytest.skip("this machine refuses a sandbox")
    engine = RemoteProcessEngine(tmp_path / "instances", tmp_path / "layers", "require", bind=NODE)
    spec = program(SERVER, serves=True, isolated=True)
    engine.start([spec])
    Watch(engine).printed(spec, "listening")
    assert ask(engine.address(spec.id)) == b"pong"
    engine.release(spec.id)


def test_the_manager_of_a_server_of_many_models_is_reached_in_its_place(engine: ProcessEngine) -> None:
    serve = (
        "import http.server, socketserver\n"
        "class Handler(http.server.BaseHTTPRequestHandler):\n"
        "    def do_GET(self):\n"
        "        self.send_response(204)\n"
        "        self.end_headers()\n"
        "    def address_string(self):\n"
        "        return 'manager'\n"
        "path = os.environ['CLARY_BIND'].removeprefix('unix:')\n"
        "server = socketserver.ThreadingUnixStreamServer(path, Handler)\n"
        "print('listening')\n"
        "server.serve_forever()\n"
    )
    spec = program(serve, serves=True, models=Models(secret="s"))
    engine.start([spec])
    Watch(engine).printed(spec, "listening")
    host, port = host_and_port(engine.address(spec.id))
    connection = http.client.HTTPConnection(host, port, timeout=10)
    connection.request("GET", "/ping")
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (204, b"")
    connection.request("POST", "/invocations", b"x", {headers.TARGET: "one.tar.gz"})
    assert connection.getresponse().getheader(headers.OUTCOME) == headers.WANTED
    engine.release(spec.id)


@needs_own_networks
def test_a_server_of_a_port_of_its_own_is_reached(tmp_path: Path) -> None:
    engine = RemoteProcessEngine(tmp_path / "instances", tmp_path / "layers", "require", bind=NODE)
    server = "import socket\nserver = socket.create_server(('0.0.0.0', 8080))\nprint('listening')\n"
    spec = program(server + "while True:\n    server.accept()[0].sendall(b'pong')\n", serves=True, port=8080)
    engine.start([spec])
    Watch(engine).printed(spec, "listening")
    assert ask(engine.address(spec.id)) == b"pong"
    engine.release(spec.id)


def test_the_toolkits_listen_on_what_they_are_handed(monkeypatch: pytest.MonkeyPatch) -> None:
    bound = socket.socket()
    bound.bind((NODE, 0))
    address = bound.getsockname()
    monkeypatch.setenv("CLARY_BIND", f"fd:{bound.detach()}")
    with binding.listen() as listening, socket.create_connection(address, 5):
        assert listening.getsockname() == address
