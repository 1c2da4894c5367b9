"""Many queued training jobs of one second each: is each run once, at how many a minute, and does memory stay flat?

    python -m benchmarks.load_jobs [jobs]

The machine has room for four at a time, and all are created at once. How often each ran its log tells. The overhead is
what a place was held, or empty, for longer than the job's second. Memory is the platform's own, resident: after the
first tenth of the jobs, and at its highest from there on.
"""

import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from tests.platform import Platform
from tests.programs import log_lines, training_request

from benchmarks.idle import memory

PLACES, SECONDS = 4, 1.0
LOOK = 0.5
VCPUS = 2
"""Of the jobs' instance type."""
SCRIPT = f"import time; print('ran', flush=True); time.sleep({SECONDS})"
LIVE = {"InProgress", "Stopping"}


def create(platform: Platform, count: int) -> list[str]:
    sagemaker = platform.client("sagemaker")
    request = training_request(platform, SCRIPT)
    names = [f"load-{number}" for number in range(count)]
    for name in names:
        sagemaker.create_training_job(**{**request, "TrainingJobName": name})
    return names


def statuses(sagemaker: Any) -> dict[str, str]:
    pages = sagemaker.get_paginator("list_training_jobs").paginate(NameContains="load-")
    return {job["TrainingJobName"]: job["TrainingJobStatus"] for page in pages for job in page["TrainingJobSummaries"]}


def follow(platform: Platform, count: int) -> tuple[dict[str, str], float, float]:
    """What became of the jobs, and MiB of the platform early on and at most from then."""
    sagemaker = platform.client("sagemaker")
    early = most = 0.0
    while True:
        seen = statuses(sagemaker)
        ended = sum(status not in LIVE for status in seen.values())
        if ended >= count / 10:
            now = memory([platform.pid], "Rss")
            early, most = early or now, max(most, now)
        if ended == count:
            return seen, early, most
        time.sleep(LOOK)


def measure(state: Path, count: int) -> dict[str, str]:
    """Row → value."""
    os.environ["CLARY_CAPACITY"] = f"vcpus={PLACES * VCPUS},memory=1024GiB"
    platform = Platform(state, "--no-oversubscribe").up()
    try:
        began = time.perf_counter()
        names = create(platform, count)
        created = time.perf_counter() - began
        seen, early, most = follow(platform, count)
        took = time.perf_counter() - began
        runs = {name: log_lines(platform, name).count("ran") for name in names}
    finally:
        platform.down()
    return {
        "ended as": ", ".join(f"{status} {number}" for status, number in Counter(seen.values()).items()),
        "lost": str(sum(times == 0 for times in runs.values())),
        "run twice": str(sum(times > 1 for times in runs.values())),
        "created in": f"{created:.1f} s",
        "all ended after": f"{took:.1f} s",
        "jobs a minute": f"{60 * count / took:.0f} of {60 * PLACES / SECONDS:.0f} that would be without overhead",
        "overhead of each": f"{took * PLACES / count - SECONDS:.2f} s",
        "platform's memory": f"{early:.1f} MiB, then {most:.1f} MiB at most, ratio {most / early:.2f}",
        "load average": f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} cores",
    }


def main(count: int) -> None:
    table = Table("", "", title=f"{count} jobs of {SECONDS:g} s, {PLACES} at a time")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as state:
        for row in measure(Path(state), count).items():
            table.add_row(*row)
    Console().print(table)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
