"""`python -m clary.algorithms.xgboost train` trains, `… serve` serves what was trained."""

import sys


def main() -> int:
    match sys.argv[1:]:
        case ["train"]:
            from clary.algorithms.job import run_job
            from clary.algorithms.xgboost.training import train

            return run_job(train)
        case ["serve"]:
            from clary.algorithms.xgboost.serving import main as serve

            return serve()
    print("usage: python -m clary.algorithms.xgboost train|serve", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
