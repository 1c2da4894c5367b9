"""The instances that train one model together, each on its own rows.

    every host: how many rows, any validation? ─▶ the first host ─▶ who takes part, and where the tracker is
                                                       └─▶ tracker (XGBoost's own), for as long as they train

XGBoost's collective communicator then does the rest: histograms are summed over all hosts, so that all grow the same
trees. A host without rows takes no part; the first that has some prints the scores and saves the model.
"""

import json
import logging
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clary.algorithms.errors import AlgorithmError, UserError
from clary.algorithms.xgboost.library import RELEASE, xgboost
from clary.algorithms.xgboost.metrics import Evaluate

PORT = 9099
"""At which the first host hears the others."""
PATIENCE = 600.0
"""Seconds for the first host to have read its data."""
LOOK_AGAIN = 0.1


@dataclass(frozen=True, slots=True)
class Team:
    size: int = 1
    leads: bool = True
    """Whether this host prints the scores and saves the model."""

    def agrees(self, wish: bool) -> bool:
        """Whether one of the hosts has that wish. All ask at the same time."""
        return wish if self.size == 1 else bool(_sum(np.array([float(wish)]))[0])

    def shared(self, evaluate: Evaluate | None) -> Evaluate | None:
        """Metrics of this host's rows → their mean over all hosts, by the number of rows."""
        if evaluate is None or self.size == 1:
            return evaluate

        def over_all(predictions: NDArray[Any], matrix: Any) -> list[tuple[str, float]]:
            own, rows = evaluate(predictions, matrix), float(len(matrix.get_label()))
            sums = _sum(np.array([rows, *(value * rows for _, value in own)]))
            return [(name, float(total / sums[0])) for (name, _), total in zip(own, sums[1:], strict=True)]

        return over_all


@contextmanager
def gather(hosts: Sequence[str], own: str, rows: int, *, validated: bool) -> Iterator[Team | None]:
    """The team of this host; None where it has no rows. Raises `UserError` on all of them alike."""
    if len(hosts) == 1:
        yield Team()
        return
    if RELEASE < (1, 7):
        raise AlgorithmError(
            f"Training on {len(hosts)} instances needs XGBoost 1.7 or later, and this image has {xgboost.__version__}."
        )
    report = {"host": own, "rows": rows, "validated": validated}
    plan, tracker = _lead(hosts, report) if own == hosts[0] else (_follow(hosts[0], report), None)
    if plan["mistake"]:
        raise UserError(plan["mistake"])
    members: list[str] = plan["members"]
    logging.info("Distributed training on %s", ", ".join(members))
    if own not in members:
        yield None
    elif len(members) == 1:
        yield Team()
    else:
        from xgboost import collective

        task = "DMLC_TASK_ID" if RELEASE < (2, 1) else "dmlc_task_id"
        with collective.CommunicatorContext(**plan["tracker"], **{task: own}):
            yield Team(len(members), leads=own == members[0])
    if tracker is not None:
        tracker.join() if RELEASE < (2, 1) else tracker.wait_for()


def _lead(hosts: Sequence[str], report: dict[str, Any]) -> tuple[dict[str, Any], Any]:
    """Hear all the others, and tell them what follows; returns that, and the tracker where there is one."""
    with socket.create_server((report["host"], PORT), backlog=len(hosts)) as server:
        lines = [server.accept()[0].makefile("rw", encoding="utf-8") for _ in hosts[1:]]
    reports = {each["host"]: each for each in [report, *(json.loads(line.readline()) for line in lines)]}
    members = [host for host in hosts if reports[host]["rows"]]
    mistake = _mistake([reports[host] for host in members])
    tracker: Any = None
    arguments: dict[str, Any] = {}
    if not mistake and len(members) > 1:
        tracker, arguments = _start_tracker(len(members), socket.gethostbyname(report["host"]))
    plan = {"members": members, "mistake": mistake, "tracker": arguments}
    for line in lines:
        line.write(json.dumps(plan) + "\n")
        line.close()
    return plan, tracker


def _follow(first: str, report: dict[str, Any]) -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            connection = socket.create_connection((first, PORT))
            break
        except OSError as error:
            if time.monotonic() > deadline:
                raise AlgorithmError(f"{first} was not to be reached within {PATIENCE:.0f} seconds: {error}") from error
            time.sleep(LOOK_AGAIN)
    with connection, connection.makefile("rw", encoding="utf-8") as line:
        line.write(json.dumps(report) + "\n")
        line.flush()
        answer = line.readline()
    if not answer:
        raise AlgorithmError(f"{first} ended before the training began.")
    plan: dict[str, Any] = json.loads(answer)
    return plan


def _mistake(reports: Sequence[dict[str, Any]]) -> str:
    """What the user must mend; empty where there is nothing."""
    if not reports:
        return "No data in the training channel of any instance."
    without = [each["host"] for each in reports if not each["validated"]]
    if without and len(without) < len(reports):
        return (
            f"There is validation data, and {', '.join(without)} got none of it: replicate it (FullyReplicated), or "
            "give at least as many objects as instances."
        )
    return ""


def _start_tracker(members: int, address: str) -> tuple[Any, dict[str, Any]]:
    """The tracker, and what its workers need to know."""
    from xgboost.tracker import RabitTracker

    tracker: Any = RabitTracker(host_ip=address, n_workers=members)
    if RELEASE < (2, 1):
        tracker.start(members)
        return tracker, tracker.worker_envs()
    tracker.start()
    return tracker, tracker.worker_args()


def _sum(values: NDArray[Any]) -> NDArray[Any]:
    from xgboost import collective

    summed: NDArray[Any] = collective.allreduce(values, collective.Op.SUM)
    return summed
