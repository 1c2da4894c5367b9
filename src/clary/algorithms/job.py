"""One training run of a built-in algorithm as the platform sees it: exit status, log lines, failure reason."""

import logging
import sys
import traceback
from collections.abc import Callable
from typing import NamedTuple

from clary.algorithms.errors import AlgorithmError, UserError
from clary.toolkits.layout import report_failure


class Manner(NamedTuple):
    """How the algorithms of one maker speak."""

    user_mistake: str
    """What stands before a reason that is the user's to mend. The platform calls all others an `AlgorithmError`."""
    status: int
    """With which the program then ends."""
    log_format: str
    date_format: str


XGBOOST = Manner("UserError", 1, "[%(asctime)s:%(levelname)s] %(message)s", "%Y-%m-%d:%H:%M:%S")
FIRST_PARTY = Manner("ClientError", 2, "[%(asctime)s %(levelname)s %(thread)d] %(message)s", "%m/%d/%Y %H:%M:%S")
"""Of AWS's own."""


def run_job(train: Callable[[], None], manner: Manner = XGBOOST) -> int:
    """Run `train`; the exit status. What it raises becomes the reason in `/opt/ml/output/failure`."""
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format=manner.log_format, datefmt=manner.date_format)
    try:
        train()
    except UserError as error:
        return _fail(f"{manner.user_mistake}: {error}", manner.status)
    except AlgorithmError as error:
        return _fail(str(error))
    except Exception as error:
        traceback.print_exc()
        return _fail(f"{type(error).__name__}: {error}")
    return 0


def _fail(reason: str, status: int = 1) -> int:
    logging.error(reason)
    report_failure(reason)
    return status
