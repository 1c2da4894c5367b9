"""What an attacker would try from inside a sandbox. Nothing dangerous is ever set: where a write could take effect, it
writes what it read. docs/security.md names these tests."""

import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from clary.engines import machine
from clary.engines.process import ProcessEngine
from clary.instance.sandbox import seccomp
from tests.engines.capability import needs_sandbox, scopes_abstract_sockets
from tests.engines.instances import Watch, program, run_lines, texts
from tests.engines.packages import wheel

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


SYSTEM_CALLS = """
import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
def call(*arguments):
    return errno.errorcode.get(ctypes.get_errno()) if libc.syscall(*arguments) < 0 else 'done'
"""


def numbers() -> dict[str, int]:
    column = list(seccomp.ARCHITECTURES).index(os.uname().machine)
    calls = {**seccomp.REFUSED, "clone": seccomp.CLONE, "unshare": seccomp.UNSHARE, "ioctl": seccomp.IOCTL}
    return {name: columns[column] for name, columns in calls.items()}


@pytest.mark.skipif(os.uname().machine not in seccomp.ARCHITECTURES, reason="no table of system calls")
def test_system_calls_of_the_kernels_own_are_refused(engine: ProcessEngine) -> None:
    """Each with arguments that do nothing where it is let through."""
    calls = {name: numbers()[name] for name in seccomp.REFUSED if name not in ("reboot", "acct", "swapoff", "swapon")}
    source = SYSTEM_CALLS + f"for name, number in {calls!r}.items(): print(name, call(number, -1, 0, 0, 0, 0, 0))"
    assert run_lines(engine, source) == [f"{name} EPERM" for name in calls]


@pytest.mark.skipif(os.uname().machine not in seccomp.ARCHITECTURES, reason="no table of system calls")
def test_no_further_namespaces(engine: ProcessEngine) -> None:
    source = SYSTEM_CALLS + (
        f"print(call({numbers()['unshare']}, 0x10000000), call({numbers()['unshare']}, 0x40000000))\n"
        f"print(call({seccomp.CLONE3}, 0, 0))\n"
        # Threads and processes are made by the same call.
        "import threading, subprocess\n"
        "thread = threading.Thread(target=print, args=('thread',)); thread.start(); thread.join()\n"
        "print(subprocess.run(['echo', 'process'], capture_output=True, text=True).stdout.strip())"
    )
    assert run_lines(engine, source) == ["EPERM EPERM", "ENOSYS", "thread", "process"]


def test_keys_of_the_platforms_session_are_out_of_reach() -> None:
    """A keyring is inherited by all that a session starts: the agent joins one with a key in it before it starts."""
    add_key, keyctl, search = numbers()["add_key"], numbers()["keyctl"], 10
    source = SYSTEM_CALLS + f"print(call({keyctl}, {search}, -3, b'user', b'clary-test', 0))"
    start = (
        "import ctypes, sys\n"
        "libc = ctypes.CDLL(None)\n"
        f"assert libc.syscall({keyctl}, 1, None) > 0\n"
        f"assert libc.syscall({add_key}, b'user', b'clary-test', b'secret', 6, -3) > 0\n"
        f"assert libc.syscall({keyctl}, {search}, -3, b'user', b'clary-test', 0) > 0\n"
        "from pathlib import Path\n"
        "from clary.engines.process import ProcessEngine\n"
        "from clary.instance.spec import InstanceSpec\n"
        "ProcessEngine(Path(sys.argv[1]), Path(sys.argv[2])).start([InstanceSpec.from_json(sys.stdin.read())])"
    )
    spec = program(source)
    with tempfile.TemporaryDirectory() as directory:
        arguments = [sys.executable, "-c", start, f"{directory}/instances", f"{directory}/layers"]
        started = subprocess.run(arguments, input=spec.to_json(), text=True, capture_output=True, check=False)
        if "AssertionError" in started.stderr:
            pytest.skip("this machine has no keyrings")
        later = ProcessEngine(Path(directory, "instances"), Path(directory, "layers"))
        assert Watch(later).done(spec).outcome == "Completed"
        assert texts(later, spec)[-1] == "EPERM"
        later.release(spec.id)


def test_nothing_can_be_typed_into_a_terminal(engine: ProcessEngine) -> None:
    source = (
        "import fcntl, pty\n"
        "_, terminal = pty.openpty()\n"
        "try:\n    fcntl.ioctl(terminal, 0x5412, b'x')\n"
        "except OSError as error:\n    print(error.strerror)\n"
        "try:\n    os.open('/dev/tty', os.O_RDWR)\n"
        "except OSError as error:\n    print(error.strerror)"
    )
    assert run_lines(engine, source) == ["Operation not permitted", "No such device or address"]


@pytest.mark.skipif(not scopes_abstract_sockets(), reason="this kernel's Landlock bounds no sockets")
def test_abstract_sockets_of_the_host_refuse_and_the_programs_own_do_not(engine: ProcessEngine) -> None:
    name = f"\0clary-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(name)
        server.listen()
        source = (
            "import socket\n"
            f"for name in ({name!r}, {name + '-own'!r}):\n"
            "    own = socket.socket(socket.AF_UNIX)\n"
            "    if name.endswith('own'):\n        own.bind(name); own.listen()\n"
            "    try:\n        socket.socket(socket.AF_UNIX).connect(name); print('connected')\n"
            "    except OSError as error:\n        print(error.strerror)"
        )
        assert run_lines(engine, source) == ["Operation not permitted", "connected"]


def test_no_privileges_to_be_had(engine: ProcessEngine) -> None:
    """Neither by a setuid program, nor by a capability over anything but files of its own."""
    source = (
        "status = dict(line.split(':', 1) for line in open('/proc/self/status'))\n"
        "print(status['NoNewPrivs'].strip(), status['CapEff'].strip(), status['CapBnd'].strip())\n"
        "print([line.split()[4] for line in open('/proc/self/mountinfo') if 'nosuid' not in line])\n"
    )
    flags, mounts = run_lines(engine, source)
    overriding, owning = 1 << 1, 1 << 3
    capabilities = f"{overriding | owning:016x}"
    assert flags == f"1 {capabilities} {capabilities}"
    # An overlay has no flag of its own, and takes setuid programs from nowhere but the interpreter's directory.
    assert mounts == str([str(Path(sys.prefix))])


def test_inherits_no_files_and_dumps_no_cores(engine: ProcessEngine) -> None:
    source = (
        "import resource\n"
        "print(sorted(os.listdir('/proc/self/fd')), resource.getrlimit(resource.RLIMIT_CORE))\n"
        "print(int(open('/proc/self/oom_score_adj').read()) > 0)"
    )
    # The last one is that of the listing.
    assert run_lines(engine, source) == ["['0', '1', '2', '3'] (0, 0)", "True"]


def test_a_program_inherits_no_files_after_requirements_were_installed_either(
    engine: ProcessEngine, tmp_path: Path
) -> None:
    package = wheel(tmp_path, "clary_test_descriptors", 1)
    text = f"--no-index\nclary_test_descriptors @ file://{package}\n"
    lines = run_lines(
        engine,
        "print(sorted(os.listdir('/proc/self/fd')))",
        files={"/opt/ml/code/requirements.txt": text},
        requirements=["/opt/ml/code/requirements.txt"],
        visible=[str(package)],
    )
    assert lines[-1] == "['0', '1', '2', '3']"


def test_sees_no_process_but_its_own(engine: ProcessEngine) -> None:
    """Neither the agent's nor the platform's: nothing to trace, signal or read the environment of."""
    source = (
        "pids = [int(name) for name in os.listdir('/proc') if name.isdigit()]\n"
        "print(sorted(pids) == [1, os.getpid()], os.getppid(), os.getsid(0) != 0)\n"
        f"print(os.path.exists('/proc/{os.getpid()}') and {os.getpid()} > 2)\n"
    )
    assert run_lines(engine, source) == ["True 1 True", "False"]


def test_home_is_the_programs_own(engine: ProcessEngine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """pip's configuration is the machine's and has to be read; the directory that it lies in is nobody's business."""
    home = tmp_path / "home"
    (home / ".config" / "pip").mkdir(parents=True)
    (home / ".config" / "pip" / "pip.conf").write_text("[global]\ntimeout = 77\n")
    (home / ".config" / "secret").write_text("secret")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("PIP_CONFIG_FILE", raising=False)
    source = (
        "import subprocess\n"
        f"print(os.path.exists('/root/.config'), os.path.exists({str(home)!r}))\n"
        "listed = subprocess.run(['pip', 'config', 'list'], capture_output=True, text=True).stdout\n"
        "print(\"global.timeout='77'\" in listed)"
    )
    assert run_lines(engine, source)[:2] == ["False False", "True"]


def test_what_others_may_not_read_is_covered_where_clarys_user_might(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where a program has no user id of its own, its own is Clary's, which may have more rights than it needs."""
    monkeypatch.setattr(machine, "probe", lambda *asked: ("none", "no") if asked[-1] else ("plain", "no better"))
    closed = machine.closed_files("/etc")
    engine = ProcessEngine(tmp_path / "instances", tmp_path / "layers")
    source = (
        "def read(path):\n"
        "    try:\n        return os.listdir(path) if os.path.isdir(path) else open(path, 'rb').read(1)\n"
        "    except OSError:\n        return None\n"
        f"print([path for path in {closed!r} if read(path)])"
    )
    assert run_lines(engine, source)[-1] == "[]"
    assert run_lines(engine, source, visible=["/etc"])[-1] == "[]"


def test_control_groups_cannot_be_written(engine: ProcessEngine) -> None:
    source = (
        "for parent, directories, names in os.walk('/sys/fs/cgroup'):\n"
        "    if not os.statvfs(parent).f_flag & os.ST_RDONLY or os.access(parent, os.W_OK):\n        print(parent)\n"
        "print('looked')"
    )
    assert run_lines(engine, source) == ["looked"]
