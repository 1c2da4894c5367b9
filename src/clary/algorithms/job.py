"""One training run of a built-in algorithm as the platform sees it: exit status, log lines, failure reason."""

import logging
import sys
import traceback
from collections.abc import Callable

from clary.algorithms.errors import AlgorithmError, UserError
from clary.toolkits.layout import report_failure


def run_job(train: Callable[[], None]) -> int:
    """Run `train`; the exit status. What it raises becomes the reason in `/opt/ml/output/failure`.

    The platform calls any failure of a program an `AlgorithmError`, so that only the user's are marked here.
    """
    logging.basicConfig(
        stream=sys.stdout,
        level=logging.INFO,
        format="[%(asctime)s:%(levelname)s] %(message)s",
        datefmt="%Y-%m-%d:%H:%M:%S",
    )
    try:
        train()
    except UserError as error:
        return _fail(f"UserError: {error}")
    except AlgorithmError as error:
        return _fail(str(error))
    except Exception as error:
        traceback.print_exc()
        return _fail(f"{type(error).__name__}: {error}")
    return 0


def _fail(reason: str) -> int:
    logging.error(reason)
    report_failure(reason)
    return 1
