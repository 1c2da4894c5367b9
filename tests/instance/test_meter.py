"""What a program and all that it starts use of the machine."""

import subprocess
import sys
import time

from clary.instance.meter import Meter

# Grandchildren count, and so do those that have ended.
BUSY = """
import subprocess, sys, time
subprocess.run([sys.executable, "-c", "import time\\nwhile time.process_time() < 0.3: pass"])
held = bytearray(64 << 20)
print("ready", flush=True)
time.sleep(60)
"""


def test_it_measures_all_that_is_below(tmp_path: object) -> None:
    told: list[dict[str, float]] = []
    meter = Meter(told.append, str(tmp_path), memory=1 << 30, due=0.0)
    began = time.monotonic()
    with subprocess.Popen([sys.executable, "-c", BUSY], stdout=subprocess.PIPE) as program:
        assert program.stdout is not None
        program.stdout.readline()
        meter.look()
        seconds = time.monotonic() - began
        meter.look()
        program.kill()
    (usage,) = told
    assert usage["CPUUtilization"] > 0.25 / seconds * 100
    assert usage["MemoryUtilization"] > 64 / 1024 * 100
    assert 0 < usage["DiskUtilization"] < 100
