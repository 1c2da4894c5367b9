"""What the agent says of itself: `status.json`, notices in the log, and hints to the engine that it changed."""

import contextlib
import os
import time

from clary.files import write_atomically
from clary.instance.layout import Layout
from clary.instance.log import Log
from clary.instance.spec import InstanceStatus, Outcome, Phase

REASON_LIMIT = 1024


class Report:
    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self.status = InstanceStatus()
        self.log = Log(layout["log"], self.hint)

    def enter(self, phase: Phase) -> None:
        self.status.phase = phase
        self.status.entered[phase] = time.time()
        write_atomically(self._layout["status.json"], self.status.to_json())
        self.hint()

    def measured(self, usage: dict[str, float]) -> None:
        self.status.usage = usage
        write_atomically(self._layout["status.json"], self.status.to_json())
        self.hint()

    def notice(self, text: str) -> None:
        self.status.notices.append(text)
        self.log.say(text)

    def done(self, outcome: Outcome, exit_code: int | None = None, reason: str = "") -> None:
        """The last word. Everything that it speaks of is on the disk by then."""
        self.log.sync()
        status = self.status
        status.phase, status.outcome = "Done", outcome
        status.exit_code, status.reason = exit_code, reason[:REASON_LIMIT]
        status.entered["Done"] = time.time()
        write_atomically(self._layout["status.json"], status.to_json(), durable=True)
        self.hint()

    def hint(self) -> None:
        # Nobody listens while the platform is down, and a full pipe already holds hints enough.
        with contextlib.suppress(OSError):
            fd = os.open(self._layout.changes, os.O_WRONLY | os.O_NONBLOCK)
            try:
                os.write(fd, f"{self._layout.id}\n".encode())
            finally:
                os.close(fd)
