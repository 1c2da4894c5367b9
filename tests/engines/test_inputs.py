"""Pipes and mounted directories on all kinds of machines: with all of a sandbox, with less, and without one."""

import os
import signal
from pathlib import Path

import pytest

from clary.engines import machine
from clary.engines.process import ProcessEngine
from clary.instance.processes import children
from clary.instance.spec import Mount, Pipe, Source
from tests.engines.capability import needs_sandbox
from tests.engines.instances import Watch, program, texts

DATA = "/opt/ml/input/data"
KINDS = [
    pytest.param("as it is", marks=needs_sandbox),
    pytest.param("memory-overlay", marks=needs_sandbox),
    pytest.param("plain", marks=needs_sandbox),
    "none",
]
READS = """
for epoch in range(3):
    print(open(f'{BASE}/input/data/train_{epoch}').read())
"""


@pytest.fixture(params=KINDS)
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ProcessEngine:
    if request.param in ("memory-overlay", "plain"):
        monkeypatch.setattr(machine, "probe", lambda *_: (request.param, "no better"))
    sandbox = "off" if request.param == "none" else "auto"
    return ProcessEngine(tmp_path / "instances", tmp_path / "layers", sandbox)


def stored(tmp_path: Path, text: str) -> Source:
    body = tmp_path / f"body-{text}"
    body.write_text(text)
    return Source(text, str(body), len(text))


def test_pipes_are_fed(engine: ProcessEngine, tmp_path: Path) -> None:
    spec = program(READS, pipes={f"{DATA}/train": Pipe([[stored(tmp_path, "one")], [stored(tmp_path, "two")]])})
    status = Watch(engine).run(spec)
    assert status.outcome == "Completed", status.reason
    assert texts(engine, spec).count("onetwo") == 3
    engine.release(spec.id)


def test_a_directory_is_seen_and_may_be_written(engine: ProcessEngine, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    (shared / "below").mkdir(parents=True)
    (shared / "below/a").write_text("there")
    source = "print(open(f'{BASE}/input/data/fs/a').read())\nopen(f'{BASE}/input/data/fs/b', 'w').write('new')"
    spec = program(source, mounts={f"{DATA}/fs": Mount("fs-01234567", str(shared), "/below", writable=True)})
    status = Watch(engine).run(spec)
    assert status.outcome == "Completed", status.reason
    assert "there" in texts(engine, spec)
    assert (shared / "below/b").read_text() == "new"
    engine.release(spec.id)
    assert (shared / "below/a").exists()


@needs_sandbox
def test_a_feeder_that_is_killed_is_no_end_of_data(tmp_path: Path) -> None:
    engine = ProcessEngine(tmp_path / "instances", tmp_path / "layers")
    body = tmp_path / "body"
    with body.open("wb") as file:
        file.truncate(2**26)
    source = "pipe = open('/opt/ml/input/data/train_0', 'rb')\nprint('open', len(pipe.read(10)))\nsys.stdin.read()\n"
    source += "time.sleep(600)"
    watch, spec = Watch(engine), program(source, pipes={f"{DATA}/train": Pipe([[Source("x", str(body), 2**26)]])})
    engine.start([spec])
    watch.printed(spec, "open 10")
    agent = int((tmp_path / "instances" / spec.id / "agent.lock").read_text())
    feeder = next(pid for pid in children(agent) if b"bwrap" not in Path(f"/proc/{pid}/cmdline").read_bytes())
    os.kill(feeder, signal.SIGKILL)
    status = watch.done(spec)
    assert status.outcome == "Failed"
    assert "what feeds a channel to the program was killed" in status.reason
