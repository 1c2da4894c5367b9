import os
import signal
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from clary.engines.base import Engine
from clary.engines.containers.engine import ContainerEngine
from clary.engines.containers.runtime import ContainerRuntime, container_name
from clary.instance.own_images.oci import OciImage
from clary.instance.processes import children
from clary.instance.spec import InstanceSpec, Source
from tests.engines.conformance import EngineTestCase
from tests.engines.exchange import Exchange
from tests.engines.instances import Watch, program, texts
from tests.engines.runtimes import IMAGE, Podman, podman
from tests.oci_images import build, layer, python_layer


@pytest.fixture(scope="module")
def runtime() -> Iterator[Podman]:
    with podman() as service:
        yield service


class TestContainers(EngineTestCase):
    model_is_mounted = True
    many = 10
    patience = 120.0
    start_seconds = 3.0

    def program(self, source: str, **fields: Any) -> InstanceSpec:
        spec = program(source, **{"container": OciImage.named(IMAGE, []), **fields, "interpreter": ""})
        spec.command[0] = "/usr/bin/python3"
        return spec

    @pytest.fixture
    def reopen(self, runtime: Podman, tmp_path: Path) -> Callable[[], ContainerEngine]:
        return lambda: ContainerEngine(ContainerRuntime(runtime.address), tmp_path / "instances", tmp_path / "layers")

    def test_environment_and_working_directory(self, engine: Engine, watch: Watch) -> None:
        spec = self.program(
            "print(os.environ['COLOUR'], os.getcwd())\nprint(open(os.environ['SETTINGS']).read())",
            environment={"COLOUR": "green", "SETTINGS": "/opt/ml/input/config/settings.json"},
            files={"/opt/ml/input/config/settings.json": '{"é": 1}'},
        )
        assert watch.run(spec).outcome == "Completed"
        assert texts(engine, spec)[-2:] == ["green /opt/ml", '{"é": 1}']

    def test_an_image_of_the_registry_is_handed_over(self, engine: Engine, watch: Watch, tmp_path: Path) -> None:
        """And what it has below /opt/ml is there."""
        added = layer({"opt/ml/code/own.py": "print('of the image')", "opt/ml/model/hidden": "x"})
        built = build(tmp_path / "image", [python_layer(), added], Entrypoint=["/usr/bin/python3"])
        spec = InstanceSpec("test-handed-over", ["/opt/ml/code/own.py"], container=built.image)
        status = watch.run(spec)
        assert (status.outcome, "Pulling" in status.entered) == ("Completed", True), status.reason
        assert texts(engine, spec)[-1] == "of the image"
        again = replace(spec, id="test-handed-over-2", command=["-c", "import os; print(os.listdir('/opt/ml/model'))"])
        status = watch.run(again)
        assert "Pulling" not in status.entered
        assert texts(engine, again)[-1] == "[]"

    def test_an_image_that_cannot_be_had(self, watch: Watch) -> None:
        status = watch.run(self.program("", container=OciImage.named("localhost:1/none:1", [])))
        assert status.outcome == "Failed"
        assert status.reason.startswith("ClientError: The image localhost:1/none:1 cannot be pulled")

    def test_what_is_no_name_of_an_image_fails_and_is_not_tried_for_ever(self, watch: Watch) -> None:
        status = watch.run(self.program("", container=OciImage.named("/bad:image name", [])))
        assert status.outcome == "Failed"
        assert status.reason.startswith("ClientError: The image /bad:image name cannot be pulled")

    def test_a_user_of_the_image(self, engine: Engine, watch: Watch, tmp_path: Path, exchange: Exchange) -> None:
        body = tmp_path / "body"
        body.write_text("stored")
        built = build(tmp_path / "image", [python_layer()], User="1234", Entrypoint=[])
        spec = self.program(
            "print(os.getuid())\n"
            "open(f'{BASE}/input/data/train/rows', 'a').write('!')\n"
            "open(f'{BASE}/model/weights', 'w').write('w')",
            container=built.image,
            channels={"/opt/ml/input/data/train": [Source("rows", str(body), 6)]},
            outputs=[exchange.output("model.tar.gz", "/opt/ml/model")],
        )
        status = watch.run(spec)
        assert status.outcome == "Completed", (status.reason, texts(engine, spec))
        assert texts(engine, spec)[-1] == "1234"
        assert exchange.kept(engine, spec, "model.tar.gz") is not None

    def test_servers_share_a_port(self, engine: Engine, watch: Watch) -> None:
        server = (
            "import socket\n"
            "server = socket.create_server(('', 8080))\n"
            "print('listening')\n"
            "while True:\n"
            "    server.accept()[0].sendall(socket.gethostname().encode())\n"
        )
        specs = [self.program(server, serves=True, hostname=f"one-{number}") for number in (1, 2)]
        for spec in specs:
            engine.start([spec])
        for spec in specs:
            watch.printed(spec, "listening")
            host, _, port = watch.until(lambda spec=spec: _published(engine, spec)).rpartition(":")
            with socket.create_connection((host, int(port)), 10) as client:
                assert client.recv(99).decode() == spec.hostname
            engine.release(spec.id)

    def test_an_isolated_program_has_no_network(self, engine: Engine, watch: Watch) -> None:
        spec = self.program("import socket; print([name for _, name in socket.if_nameindex()])", isolated=True)
        assert watch.run(spec).outcome == "Completed"
        assert texts(engine, spec)[-1] == "['lo']"

    def test_an_isolated_server_is_refused(self, watch: Watch) -> None:
        status = watch.run(self.program("", isolated=True, serves=True))
        assert status.reason.startswith("ClientError: network isolation of servers")

    def test_too_much_memory_is_told(self, watch: Watch, runtime: Podman) -> None:
        if "memory" not in ContainerRuntime(runtime.address).describe("", absent=False).limits:
            pytest.skip("the runtime limits no memory on this machine")
        status = watch.run(self.program("b'x' * 2**30", memory=256 * 2**20))
        assert (status.outcome, status.exit_code) == ("Failed", -signal.SIGKILL)
        assert "OutOfMemoryError" in status.reason

    def test_a_container_whose_runner_was_killed_goes_by_release(
        self, engine: ContainerEngine, watch: Watch, runtime: Podman, tmp_path: Path
    ) -> None:
        spec = self._with_killed_runner(engine, watch, runtime, tmp_path)
        engine.release(spec.id)
        assert runtime.containers() == []

    def test_a_container_whose_runner_was_killed_goes_by_the_next_engine(
        self, engine: ContainerEngine, reopen: Callable[[], Engine], watch: Watch, runtime: Podman, tmp_path: Path
    ) -> None:
        self._with_killed_runner(engine, watch, runtime, tmp_path)
        reopen()
        assert runtime.containers() == []

    def test_a_container_goes_once_its_runtime_is_back(
        self,
        engine: ContainerEngine,
        watch: Watch,
        runtime: Podman,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("clary.engines.containers.engine.AGAIN", 0.2)
        spec = self._with_killed_runner(engine, watch, runtime, tmp_path)
        runtime.kill()
        engine.release(spec.id)
        runtime.up()
        watch.until(lambda: container_name(spec.id) not in runtime.containers())

    def _with_killed_runner(self, engine: Engine, watch: Watch, runtime: Podman, tmp_path: Path) -> InstanceSpec:
        spec = self.program("print('ready')\ntime.sleep(60)")
        engine.start([spec])
        watch.printed(spec, "ready")
        agent = int((tmp_path / "instances" / spec.id / "agent.lock").read_text())
        os.kill(children(agent)[0], signal.SIGKILL)
        watch.done(spec)
        assert container_name(spec.id) in runtime.containers()
        return spec

    def test_nothing_is_left_of_a_program_that_ended(self, watch: Watch, runtime: Podman) -> None:
        assert watch.run(self.program("print('x')")).outcome == "Completed"
        assert runtime.containers() == []

    def test_no_container_outlives_its_agent(
        self, engine: ContainerEngine, watch: Watch, runtime: Podman, tmp_path: Path
    ) -> None:
        spec = self.program("print('ready')\ntime.sleep(60)")
        engine.start([spec])
        watch.printed(spec, "ready")
        os.kill(int((tmp_path / "instances" / spec.id / "agent.lock").read_text()), signal.SIGKILL)
        status = watch.done(spec)
        assert (status.outcome, "was lost" in status.reason) == ("Failed", True)
        watch.until(lambda: container_name(spec.id) not in runtime.containers())


def _published(engine: Engine, spec: InstanceSpec) -> str:
    address = engine.address(spec.id)
    return "" if address.startswith("unix:") else address
