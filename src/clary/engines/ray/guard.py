"""Ends what an actor leaves behind: waits for the end of its input, which is the actor's, and cleans up after it.

First it takes up what guards left that were killed themselves, or ended with their machine.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from clary.engines import locks


def main(root: str) -> None:
    lock = os.open(f"{root}/alive.new", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    locks.take(lock)
    # Held before it has its name: other guards take what is not held for left behind.
    os.rename(f"{root}/alive.new", f"{root}/alive")
    os.close(1)
    for other in Path(root).parent.iterdir():
        if (other / "alive").exists() and not locks.is_held(str(other / "alive")):
            clean(other)
    while os.read(0, 4096):
        pass
    clean(Path(root))


def clean(root: Path) -> None:
    """Kill the instance, where it lives, and delete its directory."""
    from clary.engines.process import ProcessEngine

    try:
        engine = ProcessEngine(root / "instances", root.parent / "layers", "off")
        for instance_id in engine.instances():
            engine.release(instance_id)
    except Exception as error:
        print(f"{root}: {error}", file=sys.stderr, flush=True)
    shutil.rmtree(root, ignore_errors=True)
