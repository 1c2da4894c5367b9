"""Instances for tests: a Python program as a spec, and waiting for what becomes of it."""

import sys
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

from clary.engines.base import Engine
from clary.instance.spec import InstanceSpec, InstanceStatus

PATIENCE = 30.0
PRELUDE = "import os, sys, time, signal\nBASE = os.environ.get('SAGEMAKER_BASE_DIR', '/opt/ml')\n"


def program(source: str, **fields: Any) -> InstanceSpec:
    """An instance that runs Python `source`, in which `BASE` is where `/opt/ml` lies."""
    defaults = {"interpreter": sys.executable, "grace": 10.0, "workdir": "/opt/ml"}
    return InstanceSpec(
        f"test-{uuid.uuid4().hex[:12]}", [sys.executable, "-c", PRELUDE + source], **{**defaults, **fields}
    )


class Watch:
    """Waits on an engine's hints, and looks now and then all the same, since hints may be lost."""

    def __init__(self, engine: Engine, patience: float = PATIENCE) -> None:
        self._engine = engine
        self._patience = patience
        self._changed = threading.Condition()
        engine.on_change(self._note)

    def _note(self, _: str) -> None:
        with self._changed:
            self._changed.notify_all()

    def until(self, look: Callable[[], Any], seconds: float | None = None) -> Any:
        """The first truthy answer of `look`."""
        seconds = seconds or self._patience
        deadline = time.monotonic() + seconds
        while not (seen := look()):
            assert time.monotonic() < deadline, f"not within {seconds} s; last seen: {seen!r}"
            with self._changed:
                self._changed.wait(0.1)
        return seen

    def done(self, spec: InstanceSpec) -> InstanceStatus:
        self.until(lambda: self._engine.poll(spec.id).phase == "Done")
        return self._engine.poll(spec.id)

    def printed(self, spec: InstanceSpec, text: str) -> None:
        self.until(lambda: text in texts(self._engine, spec))

    def run(self, spec: InstanceSpec) -> InstanceStatus:
        self._engine.start([spec])
        return self.done(spec)


def texts(engine: Engine, spec: InstanceSpec) -> list[str]:
    """All complete lines of an instance's log, page by page."""
    found: list[str] = []
    offset = 0
    while True:
        lines, reached = engine.logs(spec.id, offset)
        if reached == offset:
            return found
        found += [line.text for line in lines]
        offset = reached


def run_lines(engine: Engine, source: str, **fields: Any) -> list[str]:
    """What a program that comes to its end prints; without what its agent says of the machine."""
    spec = program(source, **fields)
    status = Watch(engine).run(spec)
    assert status.outcome == "Completed", status.reason
    return [line for line in texts(engine, spec) if line not in status.notices]
