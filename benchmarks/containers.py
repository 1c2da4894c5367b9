"""What an instance in a container costs beside `podman run`: from start to done, of a program that does nothing.

    python -m benchmarks.containers [runs]

Prints the medians in seconds and their ratio. Needs Podman, as the tests of the container engine do.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.engines.instances import Watch
from tests.engines.runtimes import IMAGE, podman

from clary.engines.containers.engine import ContainerEngine
from clary.engines.containers.runtime import ContainerRuntime
from clary.instance.oci import OciImage
from clary.instance.spec import InstanceSpec

PROGRAM = "/bin/true"


def container_start(runs: int) -> tuple[float, float]:
    """Median seconds of (an instance, `podman run`), each after the other so that they share the machine's mood."""
    with podman() as service, tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory:
        engine = ContainerEngine(
            ContainerRuntime(service.address), Path(directory, "instances"), Path(directory, "layers")
        )
        watch = Watch(engine)

        def instance(number: int) -> None:
            spec = InstanceSpec(f"bench-{number}", [PROGRAM], container=OciImage.named(IMAGE, []))
            status = watch.run(spec)
            assert status.outcome == "Completed", status.reason

        def bare(_: int) -> None:
            service.run("run", "--rm", "--network=host", f"--entrypoint={PROGRAM}", IMAGE)

        measured = [(_seconds(instance, number), _seconds(bare, number)) for number in range(runs)]
    instances, bares = zip(*measured, strict=True)
    return statistics.median(instances), statistics.median(bares)


def _seconds(work: Callable[[int], None], number: int) -> float:
    began = time.perf_counter()
    work(number)
    return time.perf_counter() - began


def main() -> None:
    instance, bare = container_start(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
    print(f"instance in a container {instance:.3f} s, podman run {bare:.3f} s, ratio {instance / bare:.2f}")


if __name__ == "__main__":
    main()
