"""Which platform runs on a state directory, with real processes holding real locks."""

import json
import os
import subprocess
import sys
from pathlib import Path

from clary.cli.platforms import running_platform

HOLD_LOCK = """
import fcntl, sys
lock = open(sys.argv[1], "ab")
fcntl.flock(lock, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


def hold_lock(state: Path) -> subprocess.Popen[str]:
    """A process that holds the platform's lock until its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD_LOCK, str(state / "lock")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def write_platform(state: Path, pid: int) -> None:
    document = {"pid": pid, "host": "127.0.0.1", "port": 7373, "url": "http://127.0.0.1:7373"}
    document |= {"started": 1.5, "version": "0.1.0", "a later version's field": True}
    (state / "platform.json").write_text(json.dumps(document))


def test_nothing_was_started(tmp_path: Path) -> None:
    assert running_platform(tmp_path / "missing") is None


def test_alive_until_killed(tmp_path: Path) -> None:
    with hold_lock(tmp_path) as process:
        write_platform(tmp_path, process.pid)
        platform = running_platform(tmp_path)
        assert platform is not None
        assert (platform.pid, platform.url) == (process.pid, "http://127.0.0.1:7373")
        process.kill()
        process.wait()
        assert running_platform(tmp_path) is None


def test_a_process_that_ended_but_was_not_reaped_is_not_up(tmp_path: Path) -> None:
    with hold_lock(tmp_path) as process:
        write_platform(tmp_path, process.pid)
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert running_platform(tmp_path) is None


def test_a_process_number_used_again_is_not_a_platform(tmp_path: Path) -> None:
    (tmp_path / "lock").touch()
    write_platform(tmp_path, os.getpid())
    assert running_platform(tmp_path) is None
