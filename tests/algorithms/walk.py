"""An algorithm's program (`programs/`), run in the environment of SDK v2; and its reference, in that of the image."""

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.clients.programs import await_deletion, client_program, run
from tests.environments import python_of
from tests.platform import Platform

PROGRAMS = Path(__file__).parent / "programs"


def walk(platform: Platform, name: str, *arguments: Path | str) -> dict[str, Any]:
    """What the program of that name printed, its endpoint deleted."""
    command = [client_program("v2", "python"), str(PROGRAMS / f"{name}.py"), *map(str, arguments)]
    found: dict[str, Any] = json.loads(run(command, platform.program_environment(), PROGRAMS).splitlines()[-1])
    await_deletion(platform, name)
    return found


def metrics_of(platform: Platform, job: str) -> dict[str, float]:
    described = platform.client("sagemaker").describe_training_job(TrainingJobName=job)
    return {metric["MetricName"]: metric["Value"] for metric in described["FinalMetricDataList"]}


def reference(image: str, program: str, *arguments: Path | str) -> Any:
    """What a Python program prints as JSON in the environment of an image."""
    command = [python_of(image), "-c", program, *map(str, arguments)]
    return json.loads(subprocess.check_output(command, text=True))
