"""Serving of a user's model: `python -m clary.toolkits.serve --framework sklearn`.

CLARY_BIND → server → ScriptService → the functions of SAGEMAKER_PROGRAM, or the framework's own
"""

import argparse
import os
import sys

from clary.toolkits.frameworks import FRAMEWORKS
from clary.toolkits.models import Service
from clary.toolkits.script import ScriptService
from clary.toolkits.server import MEBIBYTE, serve

TENSORFLOW = "tensorflow"
DEFAULT_PAYLOAD = 100
"""Megabytes of a request's body: the most that batch transform sends."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="clary.toolkits.serve")
    parser.add_argument("--framework", required=True, choices=[*sorted(FRAMEWORKS), TENSORFLOW])
    # OpenMP's threads spin while they wait, by default; servers that share a machine then keep each other from work.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    framework = parser.parse_args().framework
    megabytes = int(os.environ.get("SAGEMAKER_MAX_PAYLOAD_IN_MB") or DEFAULT_PAYLOAD)
    return serve(lambda: _service(framework), megabytes * MEBIBYTE)


def _service(framework: str) -> Service:
    if framework != TENSORFLOW:
        return ScriptService(FRAMEWORKS[framework]())
    # What it asks of scripts is another contract.
    from clary.toolkits.tensorflow_serving import TensorFlowService

    return TensorFlowService()


if __name__ == "__main__":
    sys.exit(main())
