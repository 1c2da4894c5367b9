"""Networks of the instances' own: what their programs reach, what they do not, and that nothing of them is left."""

import json
import os
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from clary.engines import networks
from clary.engines.networks import ACROSS, NetworkChoice, NoNetworkError, doors
from clary.engines.process import ProcessEngine
from clary.instance.spec import InstanceSpec
from clary.routing.health import answers_ping
from tests.engines.capability import needs_own_networks, needs_sandbox
from tests.engines.instances import Watch, program, run_lines, texts
from tests.engines.ordinary import run_as_ordinary_user
from tests.engines.ordinary_networks import MEDDLE
from tests.engines.packages import wheel

HTTP_SERVER = (
    "import http.server\n"
    "class Handler(http.server.BaseHTTPRequestHandler):\n"
    "    def do_GET(self):\n"
    "        self.send_response(200); self.send_header('Content-Length', '0'); self.end_headers()\n"
    "    def log_message(self, *_):\n        pass\n"
    "print('about to', flush=True)\n"
    "while not os.path.exists('/opt/ml/input/go'):\n    time.sleep(0.02)\n"
    "server = http.server.ThreadingHTTPServer(('0.0.0.0', 8080), Handler)\n"
    "print('listening', flush=True)\n"
    "server.serve_forever()\n"
)
WAITS = "print('ready', flush=True)\ntime.sleep(60)\n"
TRY = (
    "import socket\n"
    "def reach(host, port):\n"
    "    try:\n"
    "        with socket.create_connection((host, port), 5) as sock:\n"
    "            return sock.recv(5).decode() or 'closed'\n"
    "    except OSError as error:\n"
    "        return type(error).__name__\n"
)


def an_engine(directory: Path, network: NetworkChoice = "auto", *urls: str) -> ProcessEngine:
    return ProcessEngine(
        directory / "instances", directory / "layers", "auto", network=network, urls=lambda: list(urls)
    )


@pytest.fixture
def engine(tmp_path: Path) -> ProcessEngine:
    return an_engine(tmp_path)


@pytest.fixture
def watch(engine: ProcessEngine) -> Watch:
    return Watch(engine)


class Greeter:
    """A service of the host's that says hello to whoever comes."""

    def __init__(self, host: str) -> None:
        self.socket = socket.create_server((host, 0))
        self.port: int = self.socket.getsockname()[1]
        self.greeted = 0
        threading.Thread(target=self._greet, daemon=True).start()

    def _greet(self) -> None:
        while True:
            try:
                guest, _ = self.socket.accept()
            except OSError:
                return
            self.greeted += 1
            guest.sendall(b"hello")
            guest.close()


@pytest.fixture
def greeter() -> Iterator[Greeter]:
    greeter = Greeter("0.0.0.0")
    yield greeter
    greeter.socket.close()


def own_address() -> str:
    """An address of this machine's that is not loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no network")
        return str(sock.getsockname()[0])


def agent_of(directory: Path, spec: InstanceSpec) -> int:
    return int((directory / "instances" / spec.id / "agent.lock").read_text())


def namespaces_of(directory: Path, spec: InstanceSpec) -> set[str]:
    """What the descriptors in an agent's hand are: `net:[4026532000]`."""
    node = json.loads((directory / "instances" / spec.id / "node.json").read_text())
    agent = agent_of(directory, spec)
    return {os.readlink(f"/proc/{agent}/fd/{fd}") for fd in node["namespaces"].values()}


def namespaces_in_use() -> set[str]:
    found = set()
    for place in (*Path("/proc").glob("[0-9]*/ns/net"), *Path("/proc").glob("[0-9]*/fd/*")):
        try:
            found.add(os.readlink(place))
        except OSError:
            continue
    return found


def links() -> list[str]:
    return sorted(name for _, name in socket.if_nameindex())


@needs_own_networks
@pytest.mark.parametrize("isolated", [False, True])
def test_servers_listen_on_the_same_port(engine: ProcessEngine, watch: Watch, tmp_path: Path, isolated: bool) -> None:
    specs = [program(HTTP_SERVER, serves=True, port=8080, isolated=isolated) for _ in range(2)]
    for spec in specs:
        engine.start([spec])
        watch.printed(spec, "about to")
        assert not answers_ping(engine.address(spec.id))
        (tmp_path / "instances" / spec.id / "ml" / "input").mkdir(exist_ok=True)
        (tmp_path / "instances" / spec.id / "ml" / "input" / "go").touch()
    for spec in specs:
        watch.printed(spec, "listening")
        assert answers_ping(engine.address(spec.id))
    engine.stop(specs[0].id)
    assert watch.done(specs[0]).outcome == "Stopped"
    assert not answers_ping(engine.address(specs[0].id))
    assert answers_ping(engine.address(specs[1].id))
    for spec in specs:
        engine.release(spec.id)


@needs_own_networks
def test_what_is_the_hosts_alone_is_out_of_reach(tmp_path: Path, greeter: Greeter) -> None:
    """Its loopback, services on its other addresses, and what a cloud tells its machines; its doors are open."""
    door = Greeter("127.0.0.1")
    engine = an_engine(tmp_path, "own", f"http://127.0.0.1:{door.port}")
    source = TRY + (
        f"print(reach('127.0.0.1', {greeter.port}), reach({own_address()!r}, {greeter.port}))\n"
        f"print(reach('169.254.169.254', 80), reach('127.0.0.1', {door.port}))"
    )
    lines = run_lines(engine, source)
    door.socket.close()
    assert lines == ["ConnectionRefusedError ConnectionResetError", "ConnectionResetError hello"]
    assert greeter.greeted == 0


@needs_own_networks
def test_a_port_of_the_hosts_other_address_may_be_a_door(tmp_path: Path, greeter: Greeter) -> None:
    url = f"http://{own_address()}:{greeter.port}"
    assert run_lines(an_engine(tmp_path, "own", url), TRY + f"print(reach({own_address()!r}, {greeter.port}))") == [
        "hello"
    ]


@needs_own_networks
def test_the_way_out_is_there_after_requirements_were_installed(tmp_path: Path) -> None:
    """Of which nothing is left running, what had carried their connections included."""
    door = Greeter("127.0.0.1")
    package = wheel(tmp_path, "clary_test_own_network", 3)
    requirements = "/opt/ml/code/requirements.txt"
    lines = run_lines(
        an_engine(tmp_path, "own", f"http://127.0.0.1:{door.port}"),
        TRY + f"import clary_test_own_network\nprint(reach('127.0.0.1', {door.port}))",
        files={requirements: f"--no-index\nclary_test_own_network @ file://{package}\n"},
        requirements=[requirements],
        visible=[str(package)],
    )
    door.socket.close()
    assert lines[-1] == "hello"


@needs_own_networks
def test_a_program_cannot_change_its_network(tmp_path: Path) -> None:
    assert run_lines(an_engine(tmp_path, "own"), MEDDLE) == ["PermissionError"] * 3


@needs_own_networks
def test_other_jobs_are_out_of_reach(engine: ProcessEngine, watch: Watch) -> None:
    """Each gang has the same addresses, and only its own."""
    listens = (
        "import socket\nserver = socket.create_server(('0.0.0.0', 7777))\nprint('ready', flush=True)\ntime.sleep(60)"
    )
    other = [program(listens, hostname=f"algo-{number}") for number in (1, 2, 3)]
    engine.start(other)
    for spec in other:
        watch.printed(spec, "ready")
    source = TRY + "print(reach('198.19.0.3', 7777), reach('algo-2', 7777))"
    gang = [program(source, hostname=f"algo-{number}") for number in (1, 2)]
    engine.start(gang)
    for spec in gang:
        assert watch.done(spec).outcome == "Completed"
        assert texts(engine, spec)[0].split()[1] == "ConnectionRefusedError"
        assert "hello" not in texts(engine, spec)[0]
    for spec in other:
        engine.release(spec.id)


@needs_own_networks
def test_names_are_asked_of_the_hosts_servers(engine: ProcessEngine, watch: Watch) -> None:
    """They say of this one that it is none; where they were not reached, its lookup would be said to have failed."""
    source = (
        "import socket\n"
        "try:\n    socket.getaddrinfo('clary-test.invalid', 80)\n"
        "except socket.gaierror as error:\n    print(error.errno == socket.EAI_NONAME)\n"
    )
    try:
        socket.getaddrinfo("clary-test.invalid", 80)
    except socket.gaierror as error:
        if error.errno != socket.EAI_NONAME:
            pytest.skip("this machine's name servers do not answer")
    gang = [program(source, hostname=f"algo-{number}") for number in (1, 2)]
    engine.start(gang)
    for spec in gang:
        watch.done(spec)
        assert texts(engine, spec)[-1] == "True"


@needs_own_networks
def test_nothing_is_left_however_it_ends(engine: ProcessEngine, watch: Watch, tmp_path: Path) -> None:
    before = links()
    gang = [program(WAITS, hostname=f"algo-{number}") for number in (1, 2, 3)]
    engine.start(gang)
    for spec in gang:
        watch.printed(spec, "ready")
    namespaces = namespaces_of(tmp_path, gang[0])
    assert len(namespaces) >= 4
    assert namespaces <= namespaces_in_use()
    assert links() == before
    for spec in gang:
        os.kill(agent_of(tmp_path, spec), signal.SIGKILL)
    watch.until(lambda: not namespaces & namespaces_in_use())
    assert links() == before
    for spec in gang:
        engine.release(spec.id)


@needs_own_networks
def test_one_who_comes_back_finds_its_gangs_network(engine: ProcessEngine, watch: Watch, tmp_path: Path) -> None:
    gang = [program(WAITS, hostname=f"algo-{number}") for number in (1, 2)]
    engine.start(gang)
    for spec in gang:
        watch.printed(spec, "ready")
    namespaces = namespaces_of(tmp_path, gang[0])
    engine.release(gang[1].id)
    an_engine(tmp_path).start(gang)
    watch.printed(gang[1], "ready")
    assert namespaces_of(tmp_path, gang[1]) == namespaces
    for spec in gang:
        engine.release(spec.id)


def refuse(*_: object, **__: object) -> dict[str, int]:
    raise NoNetworkError("no bridges here")


@needs_sandbox
def test_says_so_where_there_can_be_none(monkeypatch: pytest.MonkeyPatch, engine: ProcessEngine, watch: Watch) -> None:
    monkeypatch.setattr(networks, "build", refuse)
    source = "import socket; print(socket.gethostbyname('algo-2'))"
    gang = [program(source, hostname=f"algo-{number}") for number in (1, 2)]
    engine.start(gang)
    for spec in gang:
        status = watch.done(spec)
        assert status.outcome == "Completed"
        assert "no bridges here" in status.notices[0]
        assert texts(engine, spec)[-1].startswith("127.88.")


@needs_sandbox
def test_isolation_is_not_given_up_where_there_can_be_none(
    monkeypatch: pytest.MonkeyPatch, engine: ProcessEngine, watch: Watch, tmp_path: Path
) -> None:
    monkeypatch.setattr(networks, "build", refuse)
    gang = [program("", isolated=True, hostname=f"algo-{number}") for number in (1, 2)]
    engine.start(gang)
    assert "no bridges here" in watch.done(gang[0]).reason
    required = an_engine(tmp_path / "required", "own")
    assert "no bridges here" in Watch(required).run(program("")).reason


def test_an_ordinary_users_instances_have_networks_too() -> None:
    lines = run_as_ordinary_user("tests.engines.ordinary_networks")
    assert lines == ["served", "connected", "connected", "PermissionError PermissionError PermissionError"]


@needs_sandbox
def test_a_member_of_a_gang_on_other_machines_stays_in_the_machines_network(tmp_path: Path) -> None:
    """Where those reach it."""
    source = "import socket; print(socket.gethostbyname('algo-2'))"
    hosts = {"algo-1": "127.0.0.1", "algo-2": "192.0.2.2"}
    engine = an_engine(tmp_path, "own")
    spec = program(source, hosts=hosts)
    Watch(engine).run(spec)
    assert json.loads((tmp_path / "instances" / spec.id / "node.json").read_text())["namespaces"] == {}
    assert texts(engine, spec)[-1] == "192.0.2.2"


def test_isolation_among_other_machines_is_refused(tmp_path: Path) -> None:
    hosts = {"algo-1": "127.0.0.1", "algo-2": "192.0.2.2"}
    spec = program("print('ran')", hosts=hosts, isolated=True)
    engine = an_engine(tmp_path, "own")
    status = Watch(engine).run(spec)
    assert (status.outcome, status.lost) == ("Failed", False)
    assert status.reason == ACROSS
    assert "ran" not in texts(engine, spec)


def test_doors_are_the_urls_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostbyname", {"workstation": "127.0.1.1", "10.0.0.5": "10.0.0.5"}.__getitem__)
    texts = [
        "socks, http://user:word@localhost:3128/",
        "index-url = https://127.0.0.2/simple\nextra = https://pypi.org/simple",
        "http://10.0.0.7",
        "/opt/wheels",
    ]
    assert doors(["http://workstation:7373", "https://10.0.0.5", ""], texts) == [
        "10.0.0.5:443",
        "10.0.0.7:80",
        "127.0.0.1:3128",
        "127.0.0.2:443",
        "127.0.1.1:7373",
    ]
