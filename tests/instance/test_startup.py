"""The agent's start-up time is every job's: it may import little, and only Python's own."""

import subprocess
import sys
from pathlib import Path

import clary

ALLOWED = {"clary", "clary.files", "clary.instance"}
DEAR = {"asyncio", "ctypes", "http.client", "shutil", "socket", "subprocess", "tarfile", "tempfile", "urllib.request"}


def test_imports_little() -> None:
    source = Path(clary.__file__).parent.parent
    program = f"import sys; sys.path.insert(0, {str(source)!r}); import clary.instance.agent; print(*sys.modules)"
    # Without site-packages: an import of anything but the standard library fails.
    ended = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=True)
    modules = set(ended.stdout.split())
    assert not modules & DEAR
    assert {name for name in modules if name.startswith("clary")} <= ALLOWED | {
        name for name in modules if name.startswith("clary.instance.")
    }
