"""What a sandboxed program cannot see or do, and what happens where there can be no sandbox."""

import os
import sys
import time
from pathlib import Path

import pytest

import clary
from clary.engines import machine
from clary.engines.process import ProcessEngine
from clary.instance.spec import Source
from tests.engines.capability import needs_sandbox
from tests.engines.instances import Watch, program, run_lines, texts
from tests.engines.packages import wheel


@pytest.fixture
def engine(tmp_path: Path) -> ProcessEngine:
    return ProcessEngine(tmp_path / "state" / "instances", tmp_path / "state" / "layers")


@pytest.fixture
def watch(engine: ProcessEngine) -> Watch:
    return Watch(engine)


def on_the_way(directory: str) -> list[str]:
    """What lies in `directory` of a sandbox because the interpreter or Clary's package lie below it."""
    visible = {Path(sys.prefix), Path(sys.base_prefix), Path(clary.__file__).parent}
    below = [path.relative_to(directory) for path in visible if path.is_relative_to(directory)]
    return sorted({path.parts[0] for path in below})


@needs_sandbox
def test_sees_neither_the_platforms_state_nor_other_instances(
    engine: ProcessEngine, watch: Watch, tmp_path: Path
) -> None:
    key = tmp_path / "state" / "keys.json"
    key.write_text("secret")
    neighbour = program("print('ready')\nneighbour = 1\ntime.sleep(60)")
    engine.start([neighbour])
    watch.printed(neighbour, "ready")
    looked_for = [str(key), str(tmp_path), str(tmp_path / "state" / "instances"), str(Path(__file__).parent)]
    source = (
        f"print([os.path.exists(path) for path in {looked_for!r}])\n"
        "print(any(b'neigh' b'bour' in open(f'/proc/{pid}/cmdline', 'rb').read()\n"
        "          for pid in os.listdir('/proc') if pid.isdigit() and int(pid) != os.getpid()))\n"
        "print(sorted(os.listdir('/tmp')), os.listdir('/dev/shm'))"
    )
    found = run_lines(engine, source)
    engine.release(neighbour.id)
    # The parents of what is mounted exist, empty: nothing that was looked for is one.
    assert found[0] == "[False, False, False, False]"
    assert found[1:] == ["False", f"{on_the_way('/tmp')} []"]


@needs_sandbox
def test_an_isolated_instance_has_no_network_but_its_own_loopback(engine: ProcessEngine, watch: Watch) -> None:
    source = """
import socket
server = socket.create_server(("127.0.0.1", 0))
socket.create_connection(server.getsockname()).close()
print(sorted(name for _, name in socket.if_nameindex()))
"""
    spec = program(source, isolated=True)
    assert watch.run(spec).outcome == "Completed"
    assert texts(engine, spec) == ["['lo']"]


def test_isolation_is_refused_without_a_sandbox(tmp_path: Path) -> None:
    engine = ProcessEngine(tmp_path / "instances", tmp_path / "layers", "off")
    status = Watch(engine).run(program("print('never')", isolated=True))
    assert status.outcome == "Failed"
    assert "network isolation" in status.reason


@needs_sandbox
def test_the_host_is_read_only(engine: ProcessEngine) -> None:
    source = (
        "for path in ('/usr/clary-test', '/etc/clary-test', '/sys/clary-test'):\n"
        "    try:\n"
        "        open(path, 'w')\n"
        "    except OSError as error:\n"
        "        print(type(error).__name__)\n"
    )
    assert len(run_lines(engine, source)) == 3


@needs_sandbox
def test_is_root_on_a_host_of_its_own_name(engine: ProcessEngine) -> None:
    source = (
        "import socket\n"
        "print(os.getuid(), socket.gethostname(), socket.gethostbyname('algo-1'), os.environ['HOME'])\n"
        "open('/opt/ml/x', 'w'); open('/tmp/x', 'w'); open('/dev/shm/x', 'w'); open('/root/x', 'w')"
    )
    assert run_lines(engine, source) == ["0 algo-1 127.0.0.1 /root"]


@needs_sandbox
def test_changes_to_the_interpreter_stay_with_the_instance(engine: ProcessEngine) -> None:
    source = "import json, sysconfig\nprint(open(sysconfig.get_paths()['purelib'] + '/clary-test', 'x').name)"
    assert run_lines(engine, source) == run_lines(engine, source)


def broken_bwrap(directory: Path) -> str:
    path = directory / "bwrap"
    path.write_text("#!/bin/sh\necho 'bwrap: No permissions to create a new namespace' >&2\nexit 1\n")
    path.chmod(0o755)
    return str(path)


def test_falls_back_where_a_sandbox_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(machine, "find_bwrap", lambda: broken_bwrap(tmp_path))
    engine = ProcessEngine(tmp_path / "instances", tmp_path / "layers")
    spec = program("print(BASE)")
    status = Watch(engine).run(spec)
    assert status.outcome == "Completed"
    (notice,) = status.notices
    assert "No sandbox here: bwrap: No permissions to create a new namespace" in notice
    base = f"{tmp_path}/instances/{spec.id}/ml"
    assert texts(engine, spec) == [notice, base]
    assert base in notice


def test_fails_where_a_required_sandbox_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(machine, "find_bwrap", lambda: broken_bwrap(tmp_path))
    engine = ProcessEngine(tmp_path / "instances", tmp_path / "layers", "require")
    spec = program("print('never')")
    status = Watch(engine).run(spec)
    assert status.outcome == "Failed"
    assert "a sandbox is required" in status.reason
    assert "No permissions to create a new namespace" in status.reason
    assert "never" not in texts(engine, spec)


@needs_sandbox
@pytest.mark.parametrize("containment", ["memory-overlay", "plain"])
def test_lesser_sandboxes_protect_as_well(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, containment: str) -> None:
    """Machines that allow no overlay on disk, or none at all: channels and the interpreter stay unharmed there too."""
    monkeypatch.setattr(machine, "probe", lambda *_: (containment, "no better"))
    engine = ProcessEngine(tmp_path / "instances", tmp_path / "layers")
    body = tmp_path / "body"
    body.write_text("stored")
    package = wheel(tmp_path, "clary_test_lesser", 5)
    spec = program(
        "import subprocess\n"
        "open('/opt/ml/input/data/train/x', 'a').write(' changed')\n"
        "print(open('/opt/ml/input/data/train/x').read())\n"
        f"subprocess.run(['pip', 'install', '--no-index', {str(package)!r}], check=True)\n"
        "subprocess.run(['python', '-c', 'import clary_test_lesser as p; print(p.ANSWER)'], check=True)",
        channels={"/opt/ml/input/data/train": [Source("x", str(body), 6)]},
        visible=[str(package)],
    )
    status = Watch(engine).run(spec)
    assert status.outcome == "Completed", status.reason
    assert "stored changed" in texts(engine, spec)
    assert texts(engine, spec)[-1] == "5"
    assert body.read_text() == "stored"


@needs_sandbox
def test_a_large_channel_without_overlays_is_read_only_and_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(machine, "probe", lambda *_: ("plain", "no better"))
    engine = ProcessEngine(tmp_path / "instances", tmp_path / "layers")
    body = tmp_path / "body"
    body.touch()
    os.truncate(body, 300 * 1024 * 1024)
    spec = program(
        "try:\n    open('/opt/ml/input/data/train/x', 'a')\nexcept OSError as error:\n    print(error.strerror)",
        channels={"/opt/ml/input/data/train": [Source("x", str(body), body.stat().st_size)]},
    )
    status = Watch(engine).run(spec)
    assert texts(engine, spec)[-1] == "Read-only file system"
    assert status.notices == ["/opt/ml/input/data/train cannot be written to: this machine allows no overlay of it."]


def test_nothing_is_left_of_a_sandbox_that_is_killed_while_it_is_set_up(engine: ProcessEngine, watch: Watch) -> None:
    """Its first process does not yet end with bubblewrap then."""
    for milliseconds in range(0, 28, 2):
        spec = program("time.sleep(600)")
        engine.start([spec])
        watch.until(lambda spec=spec: engine.poll(spec.id).phase == "Running")
        time.sleep(milliseconds / 1000)
        engine.release(spec.id)
        left = [path for path in Path("/proc").glob("[0-9]*/cmdline") if names(path, spec.id)]
        assert not left, f"after {milliseconds} ms"


def names(command_line: Path, instance_id: str) -> bool:
    try:
        return instance_id.encode() in command_line.read_bytes()
    except OSError:
        return False
