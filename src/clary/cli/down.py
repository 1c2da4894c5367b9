"""`clary down`: ask the platform to end, and wait until it has."""

from __future__ import annotations

import json as json_format
import os
import signal

from clary.cli.errors import CommandError
from clary.cli.options import JsonOption, StateOption, command_line, load_settings

DOWN_SECONDS = 30.0


def down(state: StateOption = None, json: JsonOption = False) -> None:
    """End the platform; running jobs go on and are found again at the next start."""
    from clary.cli.console import err, out
    from clary.cli.launch import require_platform
    from clary.cli.platforms import is_alive, wait_for

    settings = load_settings(state=state)
    platform = require_platform(settings)
    os.kill(platform.pid, signal.SIGTERM)
    with err.status("Ending Clary …"):
        ended = wait_for(lambda: not is_alive(settings.state, platform.pid), DOWN_SECONDS)
    if not ended:
        raise CommandError(
            f"Process {platform.pid} is still there {DOWN_SECONDS:.0f} s after it was asked to end.",
            f"Nothing is lost by ending it by force: kill -9 {platform.pid}",
        )
    if json:
        print(json_format.dumps({"pid": platform.pid, "state": str(settings.state)}))
        return
    out.print(f"Clary (process {platform.pid}) is down.")
    restart = command_line("up --detach", settings)
    out.print(f"Jobs that were running go on; the next start finds them again: {restart}", markup=False)
