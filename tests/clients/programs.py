"""Client programs as their users run them: real processes, in environments of their own."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.platform import Platform

REPOSITORY = Path(__file__).parents[2]
EXAMPLES = REPOSITORY / "examples"
ENVIRONMENTS = REPOSITORY / ".cache" / "clients"


def client_program(environment: str, program: str) -> str:
    """Path of a program in the client environment `v2` or `v3`; skips the test where it was not made."""
    path = ENVIRONMENTS / environment / "bin" / program
    if not path.exists():
        pytest.skip(f"no client environment {environment}: make client-{environment}")
    return str(path)


def run(command: list[str], environment: dict[str, str], directory: Path, timeout: float = 240) -> str:
    """What the program printed, standard error included. Fails the test where the program fails."""
    try:
        ended = subprocess.run(
            command,
            env=environment,
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
        )
    except subprocess.TimeoutExpired as expired:
        printed = (expired.output or b"").decode(errors="replace")
        raise AssertionError(f"{command[-1]} still ran after {timeout:.0f} s:\n{printed[-6000:]}") from None
    assert ended.returncode == 0, f"{command} ended with {ended.returncode}:\n{ended.stdout[-6000:]}"
    return ended.stdout


def clary_run(platform: Platform) -> list[str]:
    """What stands before a program's own command line."""
    return [sys.executable, "-m", "clary.cli", "run", "--state", str(platform.state), "--"]


def without_aws() -> dict[str, str]:
    """This process's environment less everything that says where AWS is or who calls it."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SAGEMAKER_"))}


def errors_in_rings(printed: str) -> list[float]:
    """Every RMSE that an example printed. The mean of all rings scores about 3.2, a good model about 2.2."""
    return [float(number) for number in re.findall(r"([\d.]+) rings", printed)]


def await_deletion(platform: Platform, name_contains: str) -> None:
    """`DeleteEndpoint` answers before the endpoint is gone. Fails the test where one was never deleted."""
    sagemaker = platform.client("sagemaker")
    for endpoint in sagemaker.list_endpoints(NameContains=name_contains)["Endpoints"]:
        assert endpoint["EndpointStatus"] == "Deleting"
        waiter = sagemaker.get_waiter("endpoint_deleted")
        waiter.wait(EndpointName=endpoint["EndpointName"], WaiterConfig={"Delay": 1, "MaxAttempts": 60})
