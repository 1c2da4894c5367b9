"""(P5) How good and how fast are the built-in algorithms, beside their reference libraries on the same rows?

    python -m benchmarks.algorithms [name…]

Each trains from a File channel, reading included, where the reference has its data in memory. Both run in turns, in
the algorithm's environment; beside the ratio of seconds stands that of processor time, which says more where others
work too. What a job takes beside that stands apart: as one whose settings are refused.
"""

import hashlib
import json
import os
import pkgutil
import shutil
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
REFERENCES: dict[str, tuple[str, ...]] = {
    "factorization_machines": ("myfm", "setuptools<81", "tqdm", "typing-extensions", "pandas<3", "pytz", "tzdata"),
    "randomcutforest": ("rrcf",),
    "forecasting_deepar": (
        "gluonts==0.17.*", "lightning", "lightning-utilities", "torchmetrics", "pandas<3", "pydantic==2.14.4",
        "pydantic-core==2.50.5", "annotated-types", "typing-inspection", "toolz", "tqdm", "pytz", "tzdata", "pyyaml",
    ),
}  # fmt: skip
"""Reference libraries that the algorithm's image lacks, with what they need that it lacks, too."""
STARTS = 3


def main(names: list[str]) -> None:
    table = Table("algorithm", "data", "beside", "Clary", "it", "ratio", "cpu", "quality", "Clary", "it", "ratio")
    starts = Table("a job of", "ends, its settings refused, after")
    for name in names or [module.name for module in pkgutil.iter_modules(contests.__path__)]:
        for line in _contest(name):
            seconds, processor, values = line["seconds"], line["processor"], line["values"]
            table.add_row(
                name,
                line["data"],
                line["reference"],
                *(f"{each:.3f} s" for each in seconds),
                f"{seconds[0] / seconds[1]:.2f}",
                f"{processor[0] / processor[1]:.2f}",
                line["quality"],
                *(f"{each:.5g}" for each in values),
                f"{values[0] / values[1]:.3f}",
            )
        starts.add_row(name, f"{_start(name):.2f} s")
    console = Console(width=190)
    console.print(table)
    console.print(starts)


def _contest(name: str) -> list[dict[str, object]]:
    ended = subprocess.run(
        [python_of(f"{name.replace('_', '-')}:1"), "-m", f"benchmarks.contests.{name}"],
        cwd=REPOSITORY,
        env={
            **os.environ,
            "OMP_WAIT_POLICY": "PASSIVE",
            "PYTHONPATH": os.pathsep.join([str(REPOSITORY), clary_alone(), *_references(name)]),
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


def _references(name: str) -> list[str]:
    """The directory that has them, if there are any; it is kept for the next time."""
    wanted = REFERENCES.get(name, ())
    if not wanted:
        return []
    directory = default_cache() / "contests" / f"{name}-{hashlib.sha256(' '.join(wanted).encode()).hexdigest()[:8]}"
    if not directory.exists():
        making = directory.with_suffix(".new")
        shutil.rmtree(making, ignore_errors=True)
        install = ["uv", "pip", "install", "--quiet", "--no-deps", "--target", str(making), *wanted]
        subprocess.run([sys.executable, "-m", *install], check=True)
        making.rename(directory)
    return [str(directory)]


if __name__ == "__main__":
    main(sys.argv[1:])
