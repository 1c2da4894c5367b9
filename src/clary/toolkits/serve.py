"""Serving of a user's model: `python -m clary.toolkits.serve --framework sklearn`.

CLARY_BIND → server → ScriptService → the functions of SAGEMAKER_PROGRAM, or the framework's own
"""

import argparse
import sys

from clary.toolkits.frameworks import FRAMEWORKS
from clary.toolkits.script import ScriptService
from clary.toolkits.server import serve


def main() -> int:
    parser = argparse.ArgumentParser(prog="clary.toolkits.serve")
    parser.add_argument("--framework", required=True, choices=sorted(FRAMEWORKS))
    return serve(ScriptService(FRAMEWORKS[parser.parse_args().framework]()))


if __name__ == "__main__":
    sys.exit(main())
