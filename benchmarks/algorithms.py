"""(P5) How good and how fast are the built-in algorithms, beside their reference libraries on the same rows?

    python -m benchmarks.algorithms [name…]

Each trains from RecordIO in a File channel, reading included, where the reference has its rows in memory. Both run in
the algorithm's environment, in turns. What a job takes beside that stands apart: as one whose settings are refused.
"""

import json
import os
import pkgutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table
from tests.environments import clary_alone, python_of
from tests.toolkits.container import Container

from benchmarks import contests
from clary.settings import default_cache

REPOSITORY = Path(__file__).parents[1]
REFERENCES = ("rrcf",)
"""Reference libraries that no image has; those have all that these need."""
STARTS = 3


def main(names: list[str]) -> None:
    references = _references()
    table = Table("algorithm", "rows", "beside", "Clary", "it", "ratio", "quality", "Clary", "it", "ratio")
    starts = Table("a job of", "ends, its settings refused, after")
    for name in names or [module.name for module in pkgutil.iter_modules(contests.__path__)]:
        for line in _contest(name, references):
            seconds, values = line["seconds"], line["values"]
            table.add_row(
                name,
                line["data"],
                line["reference"],
                *(f"{each:.3f} s" for each in seconds),
                f"{seconds[0] / seconds[1]:.2f}",
                line["quality"],
                *(f"{each:.5g}" for each in values),
                f"{values[0] / values[1]:.3f}",
            )
        starts.add_row(name, f"{_start(name):.2f} s")
    console = Console(width=190)
    console.print(table)
    console.print(starts)


def _contest(name: str, references: str) -> list[dict[str, object]]:
    ended = subprocess.run(
        [python_of(f"{name.replace('_', '-')}:1"), "-m", f"benchmarks.contests.{name}"],
        cwd=REPOSITORY,
        env={
            **os.environ,
            "OMP_WAIT_POLICY": "PASSIVE",
            "PYTHONPATH": os.pathsep.join([str(REPOSITORY), clary_alone(), references]),
        },
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return [json.loads(line) for line in ended.stdout.splitlines() if line.startswith("{")]


def _start(name: str) -> float:
    repository = name.replace("_", "-")
    with tempfile.TemporaryDirectory() as directory:
        container = Container(Path(directory) / "ml", python_of(f"{repository}:1"))
        times = []
        for _ in range(STARTS):
            began = time.perf_counter()
            container.run("clary.algorithms", repository, "train")
            times.append(time.perf_counter() - began)
    return statistics.median(times)


def _references() -> str:
    """A directory that has them, kept for the next time."""
    directory = default_cache() / "contests"
    if not directory.exists():
        install = ["uv", "pip", "install", "--quiet", "--no-deps", "--target", str(directory), *REFERENCES]
        subprocess.run([sys.executable, "-m", *install], check=True)
    return str(directory)


if __name__ == "__main__":
    main(sys.argv[1:])
