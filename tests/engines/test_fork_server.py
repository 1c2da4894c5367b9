"""What agents are forked from: it may be killed, and it ends with the platform, its agents with neither."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from clary.engines.fork_server import ForkServer
from clary.engines.process import ProcessEngine
from tests.engines.instances import Watch, program, run_lines, texts

PATIENCE = 20.0
START_AND_END = (
    "import sys\n"
    "from pathlib import Path\n"
    "from clary.engines.fork_server import FORK_SERVER\n"
    "from clary.engines.process import ProcessEngine\n"
    "from clary.instance.spec import InstanceSpec\n"
    "engine = ProcessEngine(Path(sys.argv[1], 'instances'), Path(sys.argv[1], 'layers'), 'off')\n"
    "engine.start([InstanceSpec.from_json(sys.stdin.read())])\n"
    "print(FORK_SERVER._process.pid)\n"
)


@pytest.fixture
def engine(tmp_path: Path) -> ProcessEngine:
    return ProcessEngine(tmp_path / "instances", tmp_path / "layers", "off")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> ForkServer:
    """One of the test's own, which it may kill."""
    own = ForkServer()
    monkeypatch.setattr("clary.engines.process.FORK_SERVER", own)
    return own


def pid_of(server: ForkServer) -> int:
    server.warm()
    assert server._process
    return server._process.pid


def test_it_waits_for_no_first_start(server: ForkServer, tmp_path: Path) -> None:
    ProcessEngine(tmp_path / "instances", tmp_path / "layers", "off")
    deadline = time.monotonic() + PATIENCE
    while server._process is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_another_takes_the_place_of_one_that_was_killed(server: ForkServer, engine: ProcessEngine) -> None:
    """The agents that it started go on."""
    watch = Watch(engine)
    first = program("print('ready', flush=True)\ntime.sleep(60)")
    engine.start([first])
    watch.printed(first, "ready")
    pid = pid_of(server)
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert watch.run(program("")).outcome == "Completed"
    assert engine.poll(first.id).phase == "Running"
    engine.release(first.id)


def test_a_start_that_a_kill_cut_off_may_be_tried_again(server: ForkServer, engine: ProcessEngine) -> None:
    """Nobody knows whether there is an agent; its lock does."""
    for _ in range(5):
        spec = program("print('once')")
        os.kill(pid_of(server), signal.SIGKILL)
        with contextlib.suppress(ConnectionResetError):
            engine.start([spec])
        engine.start([spec])
        assert Watch(engine).done(spec).outcome == "Completed"
        assert texts(engine, spec).count("once") == 1


def test_it_ends_with_the_platform_and_its_agents_do_not(engine: ProcessEngine, tmp_path: Path) -> None:
    spec = program("print('ready', flush=True)\ntime.sleep(60)")
    ended = subprocess.run(
        [sys.executable, "-c", START_AND_END, tmp_path],
        input=spec.to_json(),
        capture_output=True,
        text=True,
        check=True,
    )
    deadline = time.monotonic() + PATIENCE
    while Path(f"/proc/{ended.stdout.strip()}/stat").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    Watch(engine).printed(spec, "ready")
    engine.release(spec.id)


def test_an_agent_has_its_files_by_their_numbers(server: ForkServer, tmp_path: Path) -> None:
    """More of them than one message takes."""
    held = [os.open(tmp_path / f"held-{number}", os.O_CREAT | os.O_RDWR) for number in range(300)]
    errors = os.open(tmp_path / "errors", os.O_CREAT | os.O_WRONLY)
    fifo = tmp_path / "node.json"
    os.mkfifo(fifo)
    server.start(str(fifo), errors, held)
    agent = int((tmp_path / "held-0").read_text())
    # The agent waits for the rest of its node.
    writer = os.open(fifo, os.O_WRONLY)
    assert {os.readlink(f"/proc/{agent}/fd/{fd}") for fd in held} == {os.readlink(f"/proc/self/fd/{fd}") for fd in held}
    assert all(os.readlink(f"/proc/{agent}/fd/{fd}") == os.readlink(f"/proc/self/fd/{fd}") for fd in held)
    assert Path(f"/proc/{agent}/environ").read_bytes() == b""
    os.close(writer)
    for fd in (*held, errors):
        os.close(fd)
    deadline = time.monotonic() + PATIENCE
    while "JSONDecodeError" not in (tmp_path / "errors").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_starts_of_many_threads(engine: ProcessEngine) -> None:
    specs = [program("") for _ in range(12)]
    threads = [threading.Thread(target=engine.start, args=([spec],)) for spec in specs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    watch = Watch(engine)
    assert {watch.done(spec).outcome for spec in specs} == {"Completed"}


def test_the_platforms_variables_are_not_the_agents(engine: ProcessEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLARY_TEST_SECRET", "secret")
    source = (
        "for pid in (os.getpid(), os.getppid()):\n"
        "    print(b'CLARY_TEST_SECRET' in open(f'/proc/{pid}/environ', 'rb').read())"
    )
    assert run_lines(engine, source) == ["False", "False"]


def test_one_that_says_nothing_holds_nobody_for_ever(
    server: ForkServer, engine: ProcessEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clary.engines.fork_server.PATIENCE", 1.0)
    os.kill(pid_of(server), signal.SIGSTOP)
    spec = program("print('started all the same')")
    with pytest.raises(TimeoutError):
        engine.start([spec])
    watch = Watch(engine)
    assert watch.run(spec).outcome == "Completed"
