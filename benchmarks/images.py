"""How long an instance takes from its start to its end, whose program does nothing: for each kind of image and engine.

    python -m benchmarks.images [runs]

Beside it stands what the same program takes without Clary: a bare process, `podman run` of the same image, a job of a
local Ray (through its client, which is kinder to Ray than the `ray job submit` command, that starts a python first).
Each pair is measured in turns, so that both share the machine's mood. Own images are busybox and this machine's Python;
first unpacked is into an empty store. Last, 50 instances at once beside 50 processes at once, until all have ended.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.table import Table
from tests.engines.instances import PATIENCE, Watch
from tests.engines.ray.cluster import Cluster
from tests.engines.ray.conftest import connected
from tests.engines.runtimes import IMAGE, podman
from tests.oci_images import build, busybox_layer, layer, python_layer

from benchmarks.peer import NoPeer, measurements
from clary.engines.base import Engine
from clary.engines.containers.engine import ContainerEngine
from clary.engines.containers.runtime import ContainerRuntime
from clary.engines.process import ProcessEngine
from clary.images.table import find_recipe
from clary.instance.environments.recipe import Recipe
from clary.instance.own_images.oci import OciImage
from clary.instance.spec import InstanceSpec
from clary.settings import default_cache

PROGRAM = "/bin/true"
FRAMEWORK = "sagemaker-scikit-learn:1.2-1"
AT_ONCE = 50
FEW = 5
"""Runs of what takes seconds."""

Timed = Callable[[], object]
Row = tuple[str, list[float], str, list[float] | None]
"""What ran, its seconds; what ran beside it or why nothing did, and its seconds."""


def instance(container: OciImage | None = None, image: Recipe | None = None) -> InstanceSpec:
    return InstanceSpec(f"bench-{uuid.uuid4().hex[:12]}", [PROGRAM], container=container, image=image)


def run(engine: Engine, spec: InstanceSpec) -> None:
    status = Watch(engine, 4 * PATIENCE).run(spec)
    assert status.outcome == "Completed", status.reason
    engine.release(spec.id)


def bare() -> None:
    subprocess.run([PROGRAM], check=True)


def in_turns(runs: int, *works: Timed) -> list[list[float]]:
    """Seconds of each, after a first time that does not count."""
    for work in works:
        work()
    rounds = [[_seconds(work) for work in works] for _ in range(runs)]
    return [list(times) for times in zip(*rounds, strict=True)]


def _seconds(work: Timed) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def process_engine(directory: Path, images: Path, environments: Path | None = None) -> ProcessEngine:
    environments = environments or default_cache() / "environments"
    return ProcessEngine(
        directory / "instances", directory / "layers", environments_dir=environments, images_dir=images
    )


def on_the_process_engine(directory: Path, runs: int) -> Iterator[Row]:
    engine = process_engine(directory, directory / "images")
    recipe = find_recipe(FRAMEWORK)
    times, alone = in_turns(runs, lambda: run(engine, instance(image=recipe)), bare)
    yield "framework image, environment there", times, "bare process", alone
    yield "framework image, environment first built", first_built(directory / "built", recipe), "", None
    own = build(directory / "own", [busybox_layer(), python_layer(), layer({})]).image
    times, alone = in_turns(runs, lambda: run(engine, instance(own)), bare)
    yield "own image, unpacked before", times, "bare process", alone
    yield "own image, first unpacked", first_unpacked(directory / "unpacked", own), "", None
    together, alone = in_turns(FEW, lambda: instances_at_once(engine, own), processes_at_once)
    yield f"{AT_ONCE} instances of the own image at once", together, f"{AT_ONCE} bare processes at once", alone


def first_built(directory: Path, recipe: Recipe) -> list[float]:
    """From packages that were downloaded before."""
    os.environ["UV_CACHE_DIR"] = str(default_cache() / "uv")
    return each_first(lambda place: process_engine(place, place, place / "environments"), directory, image=recipe)


def first_unpacked(directory: Path, image: OciImage) -> list[float]:
    return each_first(lambda place: process_engine(place, place / "images"), directory, container=image)


def each_first(open_engine: Callable[[Path], Engine], directory: Path, **what: Any) -> list[float]:
    """Of engines that know the machine, and not the image."""
    times = []
    for number in range(FEW):
        engine = open_engine(directory / str(number))
        run(engine, instance())
        times.append(_seconds(partial(run, engine, instance(**what))))
    return times


def instances_at_once(engine: Engine, image: OciImage) -> None:
    specs = [instance(image) for _ in range(AT_ONCE)]
    watch = Watch(engine, 4 * PATIENCE)
    for spec in specs:
        engine.start([spec])
    for spec in specs:
        assert watch.done(spec).outcome == "Completed"
    for spec in specs:
        engine.release(spec.id)


def processes_at_once() -> None:
    for process in [subprocess.Popen([PROGRAM]) for _ in range(AT_ONCE)]:
        process.wait()


def in_a_container(directory: Path, runs: int) -> Iterator[Row]:
    with podman() as service:
        runtime = ContainerRuntime(service.address)
        engine = ContainerEngine(runtime, directory / "instances", directory / "layers")
        image = OciImage.named(IMAGE, [])
        words = ("run", "--rm", "--network=host", f"--entrypoint={PROGRAM}", IMAGE)
        times, alone = in_turns(runs, lambda: run(engine, instance(image)), partial(service.run, *words))
        yield "own image in a container", times, "podman run", alone


def on_ray(directory: Path, runs: int) -> Iterator[Row]:
    cluster = Cluster(directory / "nodes")
    try:
        engine = connected(directory / "engine", cluster.up(1))
        try:
            (times,) = in_turns(runs, lambda: run(engine, instance()))
        finally:
            engine.close()
    finally:
        cluster.down()
    script = directory / "nothing.py"
    script.write_text("")
    try:
        yield "on a Ray cluster of one node", times, "Ray job", measurements("ray_jobs", str(script), str(runs))
    except NoPeer as why:
        yield "on a Ray cluster of one node", times, f"Ray job: {why}", None


@contextmanager
def short_directory() -> Iterator[Path]:
    """The path of a Unix socket holds 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as directory:
        yield Path(directory)


def add_row(table: Table, row: Row) -> None:
    what, times, beside, alone = row
    ours = statistics.median(times)
    theirs = statistics.median(alone) if alone else None
    told = (f"{theirs:.3f}", f"{ours / theirs:.2f}") if theirs else ("", "")
    table.add_row(what, f"{ours:.3f}", f"{max(times):.3f}", beside, *told)


def main(runs: int) -> None:
    table = Table("", "median s", "worst s", "beside", "median s", "ratio")
    table.title = f"An instance from start to end, median of {runs} ({FEW} where it takes seconds)"
    for kind in (on_the_process_engine, in_a_container, on_ray):
        with short_directory() as directory:
            try:
                for row in kind(directory, runs):
                    add_row(table, row)
            except pytest.skip.Exception as why:
                table.add_row(kind.__name__.replace("_", " "), "", "", str(why))
    table.caption = f"load average at the end: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    Console().print(table)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
