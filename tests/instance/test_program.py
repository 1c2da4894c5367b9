"""The agent's loop over a program, in a process of its own: it ends all children that it finds."""

import subprocess
import sys
from pathlib import Path

import pytest

LOOP = """
import os, sys, time
from clary.instance.layout import Layout
from clary.instance.log import Log
from clary.instance.program import Command, Limits, run
from clary.instance.wishes import Wishes

layout = Layout(sys.argv[1])
layout.create()
begun, said = os.pipe()

def call():
    time.sleep(float(sys.argv[2]))
    os.write(said, b".")
    time.sleep(float(sys.argv[3]))
    print(sorted(os.environ), len(os.listdir("/proc/self/fd")), flush=True)
    return 7

command = Command(["call"], {"COLOUR": "green"}, call=call, begun=begun, handed=[said])
ending = run(command, Log(layout["log"], lambda: None), Wishes(layout), Limits(seconds=0.5, grace=5))
print(ending.cause, ending.exit_code, open(layout["log"]).read().split("\\t")[-1].strip())
"""


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        # Standard ones, the pipe, and that of the listing.
        (1.0, 0.0, " 7 ['COLOUR'] 5"),
        (0.0, 60.0, "MaxRuntimeExceeded -15"),
    ],
)
def test_the_time_of_a_call_counts_once_it_says_so(tmp_path: Path, before: float, after: float, told: str) -> None:
    """And it has the environment and the files that a program would have."""
    argv = [sys.executable, "-c", LOOP, str(tmp_path / "instances" / "one"), str(before), str(after)]
    ended = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=30)
    assert ended.stdout.rstrip("\n").rstrip() == told
