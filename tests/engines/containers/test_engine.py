import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from clary.engines.containers.engine import ContainerEngine
from clary.engines.containers.runtime import ContainerRuntime, container_name
from clary.instance.oci import OciImage
from clary.instance.spec import InstanceSpec
from tests.engines.conformance import EngineTestCase
from tests.engines.instances import Watch, program
from tests.engines.runtimes import IMAGE, Podman, podman


@pytest.fixture(scope="module")
def runtime() -> Iterator[Podman]:
    with podman() as service:
        yield service


class TestContainers(EngineTestCase):
    many = 10
    patience = 120.0
    start_seconds = 8.0

    def program(self, source: str, **fields: Any) -> InstanceSpec:
        spec = program(source, **{"container": OciImage.named(IMAGE, []), **fields, "interpreter": ""})
        spec.command[0] = "/usr/bin/python3"
        return spec

    @pytest.fixture
    def reopen(self, runtime: Podman, tmp_path: Path) -> Callable[[], ContainerEngine]:
        return lambda: ContainerEngine(ContainerRuntime(runtime.address), tmp_path / "instances", tmp_path / "layers")

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
