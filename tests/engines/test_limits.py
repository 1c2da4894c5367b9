"""Programs that take more than their share. The bombs are small: each test sets limits that it can afford to reach."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from clary.engines import machine
from clary.engines.process import ProcessEngine
from clary.instance.sandbox.cgroups import Group
from tests.engines.capability import needs_sandbox, own_uids
from tests.engines.instances import Watch, program, run_lines, texts

MIB = 2**20
FORKS = """
pids = []
try:
    for _ in range({count}):
        pid = os.fork()
        if not pid:
            signal.pause()
        pids.append(pid)
except BlockingIOError:
    print('refused')
print(len(pids))
"""
FILLS = """
held = []
for number in range(30):
    path = f'{{BASE}}/model/{{number}}'
    held.append(open(path, 'wb', buffering=0))
    held[-1].write(b'x' * 2**21)
    {then}
    print('written', flush=True)
    time.sleep(0.1)
"""


@pytest.fixture
def engine(tmp_path: Path) -> ProcessEngine:
    return ProcessEngine(tmp_path / "instances", tmp_path / "layers", "require")


def limits_processes() -> bool:
    group = Group.create("test-processes", vcpus=1024, memory=0, processes=100)
    group.remove()
    return bool(group.directories) or own_uids()


@needs_sandbox
def test_200_processes_are_no_bomb(engine: ProcessEngine) -> None:
    assert run_lines(engine, FORKS.format(count=200)) == ["200"]


@needs_sandbox
@pytest.mark.skipif(not limits_processes(), reason="this machine lets Clary limit no processes")
def test_a_fork_bomb_is_refused(engine: ProcessEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "PROCESSES", 30)
    monkeypatch.setattr(machine, "PROCESSES_OF_A_VCPU", 0)
    refused, count = run_lines(engine, FORKS.format(count=60))
    assert refused == "refused"
    assert 20 <= int(count) <= 30


@pytest.mark.skipif(not own_uids(), reason="programs have no user id of their own here")
def test_a_uid_of_its_own_is_limited_without_control_groups_too(engine: ProcessEngine) -> None:
    source = "import resource\nprint(*resource.getrlimit(resource.RLIMIT_NPROC))"
    assert run_lines(engine, source, vcpus=2.0) == ["1536 1536"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 MiB."""
    directory = tmp_path / "disk"
    directory.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64m,mode=700", "clary-test", str(directory)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("this machine lets the test mount nothing")
    yield directory
    subprocess.run(["umount", "--lazy", str(directory)], check=True)


@needs_sandbox
@pytest.mark.parametrize("then", ["pass", "os.unlink(path)"], ids=["kept", "deleted but open"])
def test_who_fills_the_disk_is_ended_and_no_other(small_disk: Path, then: str) -> None:
    engine = ProcessEngine(small_disk / "instances", small_disk / "layers", disk_reserve=32 * MIB)
    watch = Watch(engine)
    modest = program("open(f'{BASE}/x', 'wb').write(b'x' * 2**20)\nprint('ready', flush=True)\ntime.sleep(60)")
    engine.start([modest])
    watch.printed(modest, "ready")
    filler = program("os.mkdir(f'{BASE}/model')\n" + FILLS.format(then=then))
    status = watch.run(filler)
    assert status.outcome == "Failed"
    assert status.reason.startswith("AlgorithmError: DiskFull: the instance holds 0.0")
    assert 16 <= texts(engine, filler).count("written") < 29
    assert engine.poll(modest.id).phase == "Running"
    for spec in (modest, filler):
        engine.release(spec.id)


@needs_sandbox
def test_what_is_kept_in_memory_is_bounded(engine: ProcessEngine, tmp_path: Path) -> None:
    source = (
        "def size(path):\n    disk = os.statvfs(path)\n    return disk.f_blocks * disk.f_frsize\n"
        "print(size('/dev/shm'), size('/run'), os.statvfs('/dev').f_flag & os.ST_RDONLY)\n"
        "print(*(line.split()[2] for line in open('/proc/mounts') if line.split()[1] == '/'))"
    )
    assert run_lines(engine, source, memory=256 * MIB) == [f"{128 * MIB} {64 * MIB} 1", file_system(tmp_path)]


def file_system(directory: Path) -> str:
    found = subprocess.run(
        ["stat", "--file-system", "--format=%T", str(directory)], capture_output=True, text=True, check=True
    )
    return found.stdout.strip().replace("ext2/ext3", "ext4")
