"""How long `clary up` takes until it answers, and what the idle platform holds in memory.

    python -m benchmarks.idle [runs]

Ready is when the first call was answered (an unsigned one, which is refused as AWS does it). Memory is of every
process of the platform: resident, and proportional (pages that processes share, counted once).
"""

import http.client
import statistics
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from rich.console import Console
from rich.table import Table
from tests.platform import Platform

READY_GOAL = 1.0
MEMORY_GOAL = 150.0
SETTLE_SECONDS = 5.0


def answer(url: str) -> None:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=5)
    connection.request("POST", "/", b"{}", {"x-amz-target": "SageMaker.ListTrainingJobs"})
    assert connection.getresponse().status == 403
    connection.close()


def time_start(state: Path) -> tuple[Platform, float]:
    began = time.perf_counter()
    platform = Platform(state).up()
    answer(platform.url)
    return platform, time.perf_counter() - began


def processes(pid: int) -> list[int]:
    """The process and all that it started."""
    found = [pid]
    for process in found:
        for task in Path(f"/proc/{process}/task").iterdir():
            found += map(int, (task / "children").read_text().split())
    return found


def memory(pids: list[int], field: str) -> float:
    """MiB in all; `field` of `smaps_rollup`: `Rss` or `Pss`."""
    lines = (line for pid in pids for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines())
    return sum(int(line.split()[1]) for line in lines if line.startswith(f"{field}:")) / 1024


def measure(runs: int) -> dict[str, tuple[float, str, float]]:
    """Row → value, unit, goal."""
    first: list[float] = []
    again: list[float] = []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as state:
            for times in (first, again):
                platform, seconds = time_start(Path(state))
                times.append(seconds)
                platform.down()
    with tempfile.TemporaryDirectory() as state:
        platform, _ = time_start(Path(state))
        time.sleep(SETTLE_SECONDS)
        pids = processes(platform.pid)
        resident, proportional = memory(pids, "Rss"), memory(pids, "Pss")
        platform.down()
    return {
        "ready, first start": (statistics.median(first), "s", READY_GOAL),
        "ready, started again": (statistics.median(again), "s", READY_GOAL),
        f"resident, idle ({len(pids)} process{'es' * (len(pids) > 1)})": (resident, "MiB", MEMORY_GOAL),
        "proportional, idle": (proportional, "MiB", MEMORY_GOAL),
    }


def main(runs: int) -> None:
    table = Table("", "measured", "goal", "ratio to goal", title=f"Idle platform, median of {runs} starts")
    for row, (value, unit, goal) in measure(runs).items():
        table.add_row(row, f"{value:.2f} {unit}", f"{goal:g} {unit}", f"{value / goal:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
