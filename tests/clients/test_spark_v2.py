"""PySpark processing jobs through version 2 of the SDK, alone and as a cluster of two; their environment is large."""

from pathlib import Path

import pytest

from tests.clients.programs import EXAMPLES, client_program, run
from tests.platform import Platform

pytestmark = [pytest.mark.clients, pytest.mark.slow]


@pytest.mark.parametrize(("instances", "hosts"), [(1, "algo-1"), (2, "algo-1, algo-2")])
def test_a_script_runs_on_all_instances(platform: Platform, tmp_path: Path, instances: int, hosts: str) -> None:
    program = str(EXAMPLES / "spark_v2" / "process.py")
    command = [client_program("v2", "python"), program, "--instances", str(instances)]
    printed = run(command, platform.program_environment(), tmp_path, timeout=400)
    assert f"hosts: {hosts}" in printed
    assert "F,1307,11.13" in printed
