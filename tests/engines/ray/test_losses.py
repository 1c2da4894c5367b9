"""What becomes of instances when nodes, actors, the driver and the cluster's head end."""

import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from clary.engines.answers import EngineAway
from clary.engines.ray.engine import RayEngine
from clary.instance.spec import InstanceSpec, InstanceStatus
from tests.engines.instances import Watch, program, texts
from tests.engines.ray.cluster import Cluster, Node

pytestmark = pytest.mark.slow

STAYS = "print('ready', flush=True)\ntime.sleep(600)\n"
Open = Callable[[Path, Cluster], RayEngine]


def node_of(cluster: Cluster, engine: RayEngine, spec: InstanceSpec) -> Node:
    return next(node for node in cluster.nodes if node.address == (engine.directory / spec.id / "placed").read_text())


def poll(engine: RayEngine, spec: InstanceSpec) -> InstanceStatus:
    """Of an engine that may be away for a moment."""
    try:
        return engine.poll(spec.id)
    except EngineAway:
        return InstanceStatus()


def start_elsewhere(engine: RayEngine, cluster: Cluster, **fields: int) -> InstanceSpec:
    """An instance that is not on the cluster's head."""
    for _ in cluster.nodes * 4:
        spec = program(STAYS, **fields)
        engine.start([spec])
        Watch(engine).printed(spec, "ready")
        if node_of(cluster, engine, spec) is not cluster.nodes[0]:
            return spec
        engine.release(spec.id)
    raise AssertionError("all instances are on the head")


def test_a_node_that_dies_ends_its_instances_as_lost(tmp_path: Path, own_cluster: Cluster, open_engine: Open) -> None:
    own_cluster.up(2)
    engine = open_engine(tmp_path / "platform", own_cluster)
    watch = Watch(engine)
    hinted: set[str] = set()
    engine.on_change(hinted.add)
    spec = start_elsewhere(engine, own_cluster)
    node = node_of(own_cluster, engine, spec)
    assert spec.id in node.left()
    watch.until(lambda: engine.poll(spec.id).phase == "Running")
    hinted.clear()
    died = time.monotonic()
    own_cluster.kill(node)
    watch.until(lambda: spec.id in hinted)
    watch.until(lambda: poll(engine, spec).phase == "Done")
    assert time.monotonic() - died < 15
    status = engine.poll(spec.id)
    assert (status.outcome, status.lost) == ("Failed", True)
    assert status.reason.startswith("InternalServerError: ")
    assert "Running" in status.entered
    # What is known of it stays known, also to a platform that is started later.
    engine.close()
    assert open_engine(tmp_path / "platform", own_cluster).poll(spec.id) == status
    # Nothing of it goes on where its node was.
    watch.until(lambda: not node.left())


def test_a_killed_actor_is_a_lost_instance_and_its_program_ends(
    tmp_path: Path, cluster: Cluster, open_engine: Open
) -> None:
    engine = open_engine(tmp_path / "platform", cluster)
    watch = Watch(engine)
    spec = program(STAYS)
    engine.start([spec])
    watch.printed(spec, "ready")
    node = node_of(cluster, engine, spec)
    agent = int(next(node.directory.glob(f"clary-hosts-*/{spec.id}/instances/{spec.id}/agent.lock")).read_text())
    os.kill(actor_of(node, spec), signal.SIGKILL)
    watch.until(lambda: poll(engine, spec).lost)
    watch.until(lambda: not Path(f"/proc/{agent}").exists())
    watch.until(lambda: spec.id not in node.left())
    engine.release(spec.id)


def test_the_driver_may_be_killed(tmp_path: Path, cluster: Cluster, open_engine: Open) -> None:
    engine = open_engine(tmp_path / "platform", cluster)
    watch = Watch(engine)
    spec = program(STAYS)
    engine.start([spec])
    watch.printed(spec, "ready")
    for driver in drivers():
        os.kill(driver, signal.SIGKILL)
    with pytest.raises(EngineAway):
        watch.until(lambda: engine.poll(spec.id) and False)
    watch.until(lambda: poll(engine, spec).phase == "Running", 60)
    engine.release(spec.id)


def test_a_platform_that_is_started_again_finds_what_ended_meanwhile(
    tmp_path: Path, cluster: Cluster, open_engine: Open
) -> None:
    first = open_engine(tmp_path / "platform", cluster)
    short = program("time.sleep(1)\nprint('over')")
    gone = program(STAYS)
    for spec in (short, gone):
        first.start([spec])
    Watch(first).printed(gone, "ready")
    first.close()
    # As by a release while the cluster was away.
    shutil.rmtree(tmp_path / "platform" / gone.id)
    node_directories = [node.directory for node in cluster.nodes]
    later = open_engine(tmp_path / "platform", cluster)
    watch = Watch(later)
    assert watch.done(short).outcome == "Completed"
    assert texts(later, short)[-1] == "over"
    # Nobody owns it any more.
    watch.until(lambda: not any(list(each.glob(f"clary-hosts-*/{gone.id}")) for each in node_directories))
    later.release(short.id)


def test_a_head_that_is_started_again_has_lost_all(tmp_path: Path, own_cluster: Cluster, open_engine: Open) -> None:
    own_cluster.up(1)
    engine = open_engine(tmp_path / "platform", own_cluster)
    watch = Watch(engine)
    spec = program(STAYS)
    engine.start([spec])
    watch.printed(spec, "ready")
    own_cluster.kill(own_cluster.nodes[0])
    watch.until(lambda: refused(lambda: engine.poll(spec.id)), 60)
    began = time.monotonic()
    assert refused(lambda: engine.start([program("")]))
    assert refused(engine.places)
    # Neither waits for what is not there.
    assert time.monotonic() - began < 1
    own_cluster.start_head()
    watch.until(lambda: poll(engine, spec).lost, 90)
    again = program("print('again')")
    watch.until(lambda: not refused(lambda: engine.start([again])), 60)
    assert watch.done(again).outcome == "Completed"


def refused(ask: Callable[[], object]) -> bool:
    try:
        ask()
    except EngineAway:
        return True
    return False


def test_a_node_with_another_clary_is_refused_by_name(
    tmp_path: Path, cluster: Cluster, open_engine: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clary.__version__", "9.9.9")
    engine = open_engine(tmp_path / "platform", cluster)
    spec = program("")
    status = Watch(engine).run(spec)
    assert status.outcome == "Failed"
    assert "and the platform is 9.9.9" in status.reason
    assert not status.lost
    engine.release(spec.id)


def drivers() -> list[int]:
    """Of this process's engines."""
    children = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    pids = [int(pid) for path in children for pid in path.read_text().split()]
    return [pid for pid in pids if "clary.engines.ray.driver" in _reads(Path(f"/proc/{pid}/cmdline"))]


def actor_of(node: Node, spec: InstanceSpec) -> int:
    """The process of the instance's actor: at the other end of its guard's pipe."""
    processes = [entry for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    root = str(next(node.directory.glob(f"clary-hosts-*/{spec.id}")))
    guard = next(process for process in processes if _reads(process / "cmdline").endswith(f"{root}\0"))
    pipe = os.readlink(guard / "fd/0")
    return next(int(each.name) for each in processes if each != guard and pipe in map(_leads_to, _files(each)))


def _reads(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def _files(process: Path) -> list[Path]:
    try:
        return list((process / "fd").iterdir())
    except OSError:
        return []


def _leads_to(link: Path) -> str:
    try:
        return os.readlink(link)
    except OSError:
        return ""
