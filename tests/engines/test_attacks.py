"""What an attacker would try from inside a sandbox. Nothing dangerous is ever set: where a write could take effect, it
writes what it read. docs/security.md names these tests."""

import os

import pytest

from clary.engines.process import ProcessEngine
from tests.engines.capability import needs_sandbox
from tests.engines.instances import run_lines

pytestmark = needs_sandbox

READ_ONLY = ("/proc/sys", "/proc/irq", "/proc/bus", "/proc/fs", "/proc/sysrq-trigger", "/sys")
MASKED = (
    "/proc/acpi",
    "/proc/asound",
    "/proc/kcore",
    "/proc/keys",
    "/proc/key-users",
    "/proc/kmsg",
    "/proc/kpagecount",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/sys/devices/virtual/powercap",
    "/sys/firmware",
    "/sys/fs/bpf",
    "/sys/fs/pstore",
    "/sys/kernel/debug",
    "/sys/kernel/security",
    "/sys/kernel/tracing",
)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> ProcessEngine:
    state = tmp_path_factory.mktemp("state")
    return ProcessEngine(state / "instances", state / "layers", "require")


@pytest.mark.parametrize(
    "setting", ["kernel/core_pattern", "vm/swappiness", "kernel/hostname", "user/max_user_namespaces"]
)
def test_the_kernels_settings_cannot_be_written(engine: ProcessEngine, setting: str) -> None:
    source = (
        f"path = '/proc/sys/{setting}'\n"
        "value = open(path).read()\n"
        "try:\n    open(path, 'w').write(value)\nexcept OSError as error:\n    print(error.strerror)"
    )
    assert run_lines(engine, source)[-1] in ("Read-only file system", "Permission denied")


@pytest.mark.parametrize("path", READ_ONLY)
def test_the_kernels_files_are_mounted_read_only(engine: ProcessEngine, path: str) -> None:
    if not os.path.exists(path):
        pytest.skip(f"{path} is not on this machine")
    source = f"print(bool(os.statvfs({path!r}).f_flag & os.ST_RDONLY))"
    assert run_lines(engine, source) == ["True"]


@pytest.mark.parametrize("path", MASKED)
def test_what_the_kernel_tells_of_the_host_is_masked(engine: ProcessEngine, path: str) -> None:
    if not os.path.exists(path):
        pytest.skip(f"{path} is not on this machine")
    source = (
        f"path = {path!r}\n"
        "try:\n    print(os.listdir(path) if os.path.isdir(path) else os.read(os.open(path, os.O_RDONLY), 9))\n"
        "except PermissionError:\n    print('refused')\n"
        "try:\n    os.open(f'{path}/x' if os.path.isdir(path) else path, os.O_WRONLY | os.O_CREAT)\n"
        "    print('written')\n"
        "except OSError as error:\n    print(error.strerror)"
    )
    seen, written = run_lines(engine, source)
    assert seen in ("[]", "b''", "refused")
    assert written in ("Read-only file system", "Permission denied", "No such file or directory")
