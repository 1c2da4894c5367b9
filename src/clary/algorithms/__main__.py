"""`python -m clary.algorithms kmeans train` trains, `… serve` serves what was trained."""

import os
import sys
from importlib import import_module

from clary.algorithms.kit.base import Algorithm


def find(name: str) -> Algorithm:
    """The algorithm of a registry repository: `factorization-machines` is the package `factorization_machines`."""
    algorithm: Algorithm = import_module(f"clary.algorithms.{name.replace('-', '_')}").ALGORITHM
    return algorithm


def main() -> int:
    # Read when a library of OpenMP is loaded. Threads that spin while they wait keep other jobs from the cores: where
    # several share these, a training of seconds was seen to take minutes.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    match sys.argv[1:]:
        case [name, "train"]:
            from clary.algorithms.job import FIRST_PARTY, run_job
            from clary.algorithms.kit.job import open_job

            algorithm = find(name)
            return run_job(lambda: algorithm.train(open_job(algorithm)), FIRST_PARTY)
        case [name, "serve"]:
            from clary.algorithms.kit.service import MAX_PAYLOAD
            from clary.toolkits.server import serve

            return serve(find(name).service, MAX_PAYLOAD, shared=True)
    print("usage: python -m clary.algorithms <name> train|serve", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
