import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from clary.engines import machine
from clary.engines.process import ProcessEngine
from clary.instance.spec import InstanceSpec
from tests.engines.capability import own_networks, sandbox_works
from tests.engines.conformance import EngineTestCase
from tests.engines.conformance_line import LineTestCase
from tests.engines.instances import Watch, program, texts
from tests.engines.packages import wheel

SERVER = (
    "import socket\n"
    "path = os.environ['CLARY_BIND'].removeprefix('unix:')\n"
    "server = socket.socket(socket.AF_UNIX)\n"
    "server.bind(path)\n"
    "server.listen()\n"
    "print('listening')\n"
    "while True:\n"
    "    server.accept()[0].sendall(b'pong')\n"
)
START_AND_DIE = (
    "import os, signal, sys\n"
    "from pathlib import Path\n"
    "from clary.engines.process import ProcessEngine\n"
    "from clary.instance.spec import InstanceSpec\n"
    "engine = ProcessEngine(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])\n"
    "engine.start([InstanceSpec.from_json(sys.stdin.read())])\n"
    "os.kill(os.getpid(), signal.SIGKILL)\n"
)


class ProcessEngineTestCase(EngineTestCase, LineTestCase):
    sandbox: machine.Sandboxing

    @pytest.fixture
    def reopen_small(self, tmp_path: Path) -> Callable[[], ProcessEngine]:
        return lambda: ProcessEngine(
            tmp_path / "instances", tmp_path / "layers", self.sandbox, capacity="vcpus=4", oversubscribe=False
        )

    @pytest.fixture
    def reopen(self, tmp_path: Path) -> Callable[[], ProcessEngine]:
        return lambda: ProcessEngine(tmp_path / "instances", tmp_path / "layers", self.sandbox)

    def test_survives_the_kill_of_who_started_it(self, engine: ProcessEngine, watch: Watch, tmp_path: Path) -> None:
        spec = program("print('alive')")
        starter = subprocess.run(
            [sys.executable, "-c", START_AND_DIE, tmp_path / "instances", tmp_path / "layers", self.sandbox],
            input=spec.to_json(),
            text=True,
            check=False,
        )
        assert starter.returncode == -signal.SIGKILL
        assert watch.done(spec).outcome == "Completed"
        assert texts(engine, spec)[-1] == "alive"

    def test_a_killed_agent_reads_as_failed(self, engine: ProcessEngine, watch: Watch, tmp_path: Path) -> None:
        spec = program("print('ready', flush=True)\ntime.sleep(60)")
        engine.start([spec])
        watch.printed(spec, "ready")
        os.kill(int((tmp_path / "instances" / spec.id / "agent.lock").read_text()), signal.SIGKILL)
        status = watch.done(spec)
        assert (status.outcome, status.lost) == ("Failed", True)
        assert "instance agent was lost" in status.reason
        engine.release(spec.id)

    @pytest.mark.parametrize("restarted", [False, True])
    def test_the_end_of_an_agent_is_told_at_once(
        self, engine: ProcessEngine, reopen: Callable[[], ProcessEngine], tmp_path: Path, restarted: bool
    ) -> None:
        spec = program("print('ready', flush=True)\ntime.sleep(60)")
        engine.start([spec])
        Watch(engine).printed(spec, "ready")
        listener, told = reopen() if restarted else engine, threading.Event()
        listener.on_change(lambda instance_id: told.set() if listener.poll(instance_id).lost else None)
        os.kill(int((tmp_path / "instances" / spec.id / "agent.lock").read_text()), signal.SIGKILL)
        assert told.wait(10)
        engine.release(spec.id)

    def test_starts_what_was_prepared_but_not_started(
        self, engine: ProcessEngine, watch: Watch, tmp_path: Path
    ) -> None:
        """A platform killed between making the directory and starting the agent."""
        spec = program("print('late')")
        directory = tmp_path / "instances" / spec.id
        directory.mkdir()
        (directory / "agent.lock").touch()
        (directory / "spec.json").write_text("{")
        with pytest.raises(KeyError):
            engine.poll(spec.id)
        assert watch.run(spec).outcome == "Completed"

    def test_serves_on_its_address(self, engine: ProcessEngine, watch: Watch) -> None:
        spec = program(SERVER, serves=True)
        self._ask(engine, watch, spec)
        engine.stop(spec.id)
        assert watch.done(spec).outcome == "Stopped"

    def test_serves_below_a_long_path(self, tmp_path: Path) -> None:
        """A socket's address holds 107 bytes; a state directory may be deeper."""
        deep = tmp_path / ("d" * 100)
        engine = ProcessEngine(deep / "instances", deep / "layers", self.sandbox)
        spec = program(SERVER, serves=True)
        self._ask(engine, Watch(engine), spec)
        engine.release(spec.id)

    def _ask(self, engine: ProcessEngine, watch: Watch, spec: InstanceSpec) -> None:
        engine.start([spec])
        watch.printed(spec, "listening")
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(engine.address(spec.id).removeprefix("unix:"))
            assert client.recv(4) == b"pong"

    def test_a_server_that_ends_has_failed(self, watch: Watch) -> None:
        assert watch.run(program("", serves=True)).outcome == "Failed"

    def test_says_what_the_machine_lacks(self, watch: Watch) -> None:
        status = watch.run(program("", vcpus=4096, memory=2**50, gpus=64))
        assert [notice.split(";")[0] for notice in status.notices] == [
            "The instance has 4096 vCPUs",
            "The instance has 1.049e+06 GiB",
            "The instance has 64 GPUs",
        ]

    def test_a_running_program_may_install_packages(self, engine: ProcessEngine, watch: Watch, tmp_path: Path) -> None:
        package = wheel(tmp_path, "clary_test_package", 42)
        spec = program(
            "import subprocess\n"
            f"subprocess.run(['pip', 'install', '--no-index', {str(package)!r}], check=True)\n"
            "subprocess.run(['python', '-c', 'import clary_test_package as p; print(p.ANSWER)'], check=True)",
            visible=[str(tmp_path)],
        )
        status = watch.run(spec)
        assert status.outcome == "Completed", status.reason
        assert texts(engine, spec)[-1] == "42"
        found = subprocess.run([sys.executable, "-c", "import clary_test_package"], capture_output=True, check=False)
        assert found.returncode != 0


@pytest.mark.skipif(not sandbox_works(), reason="this machine refuses a sandbox")
class TestSandboxed(ProcessEngineTestCase):
    sandbox = "require"
    own_networks = own_networks()


class TestUnsandboxed(ProcessEngineTestCase):
    sandbox = "off"
    resolves_names = False
