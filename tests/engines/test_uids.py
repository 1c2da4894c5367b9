"""Programs of a Clary that is root: nobody to the host, root to themselves."""

import json
import os
import pwd
import signal
from pathlib import Path

import pytest

from clary.engines import machine
from clary.engines.process import ProcessEngine
from clary.engines.uids import uid_claims
from clary.instance.spec import InstanceSpec, Source
from tests.engines.capability import own_uids
from tests.engines.instances import Watch, program, run_lines, texts

needs_own_uids = pytest.mark.skipif(not own_uids(), reason="not root, or this machine lets programs have no own uid")
WAITS = "print('ready')\ntime.sleep(60)\n"


@pytest.fixture
def engine(tmp_path: Path) -> ProcessEngine:
    return ProcessEngine(tmp_path / "state" / "instances", tmp_path / "state" / "layers", "require")


@pytest.fixture
def watch(engine: ProcessEngine) -> Watch:
    return Watch(engine)


def processes_with(environment: str) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if environment.encode() in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


def identities(spec: InstanceSpec) -> set[tuple[str, str, str, str]]:
    """What the host knows of the processes of a sandbox: user and group ids, groups, and whether they may gain more."""
    found = set()
    for pid in processes_with(f"MARK={spec.id}"):
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        fields = {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
        found.add((fields["Uid"], fields["Gid"], fields["Groups"], fields["NoNewPrivs"]))
    return found


def waiting(engine: ProcessEngine, watch: Watch) -> InstanceSpec:
    spec = program(WAITS)
    spec.environment = {"MARK": spec.id}
    engine.start([spec])
    watch.printed(spec, "ready")
    return spec


def uid_of(tmp_path: Path, spec: InstanceSpec) -> int:
    uid: int = json.loads((tmp_path / "state" / "instances" / spec.id / "node.json").read_text())["uid"]
    return uid


@needs_own_uids
def test_root_inside_is_nobody_outside(engine: ProcessEngine, watch: Watch, tmp_path: Path) -> None:
    spec = waiting(engine, watch)
    uid = uid_of(tmp_path, spec)
    with pytest.raises(KeyError):
        pwd.getpwuid(uid)
    # bubblewrap's own two processes too: a program that took one over would win nothing.
    assert identities(spec) == {("\t".join([str(uid)] * 4), "\t".join([str(uid)] * 4), "", "1")}
    engine.release(spec.id)


@needs_own_uids
def test_no_program_outlives_its_agent(engine: ProcessEngine, watch: Watch, tmp_path: Path) -> None:
    """Its uid is free from then on."""
    spec = waiting(engine, watch)
    agent = int((tmp_path / "state" / "instances" / spec.id / "agent.lock").read_text())
    os.kill(agent, signal.SIGKILL)
    watch.until(lambda: not processes_with(f"MARK={spec.id}"))
    engine.release(spec.id)


@needs_own_uids
def test_two_live_instances_never_share_a_uid(engine: ProcessEngine, watch: Watch, tmp_path: Path) -> None:
    one, other = waiting(engine, watch), waiting(engine, watch)
    uids = uid_of(tmp_path, one), uid_of(tmp_path, other)
    assert uids[0] != uids[1]
    later = ProcessEngine(tmp_path / "other" / "instances", tmp_path / "other" / "layers", "require")
    third = program("")
    Watch(later).run(third)
    taken = json.loads((tmp_path / "other" / "instances" / third.id / "node.json").read_text())["uid"]
    assert taken not in uids
    for spec in (one, other):
        engine.release(spec.id)


def test_a_uid_is_free_again_once_its_holders_are_gone(tmp_path: Path) -> None:
    uids = uid_claims("2100000000:2", str(tmp_path / "uids"))
    with uids.claim() as (one, held), uid_claims("2100000000:2", str(tmp_path / "uids")).claim() as (other, _):
        assert {one, other} == {2_100_000_000, 2_100_000_001}
        with pytest.raises(RuntimeError, match="2100000000 to 2100000001 are taken"), uids.claim():
            pass
        agents = os.dup(held)
    with uids.claim() as (next_one, _):
        assert next_one == other
    os.close(agents)
    with uids.claim() as (freed, _):
        assert freed == one


def test_no_uid_of_an_account_is_taken(tmp_path: Path) -> None:
    with uid_claims("0:4000", str(tmp_path / "uids")).claim() as (uid, _):
        for account in pwd.getpwall():
            assert uid != account.pw_uid


@needs_own_uids
def test_files_of_roots_are_the_programs_and_stay_roots(engine: ProcessEngine, watch: Watch, tmp_path: Path) -> None:
    body = tmp_path / "body"
    body.write_text("stored")
    body.chmod(0o600)
    spec = program(
        "path = '/opt/ml/input/data/train/x'\n"
        "print(open(path).read(), os.stat(path).st_uid)\n"
        "open(path, 'a').write(' changed')\n"
        "os.chown(path, 0, 0); os.chmod(path, 0o777)\n"
        "os.makedirs('/opt/ml/model/deep'); open('/opt/ml/model/deep/weights', 'w').write('w')\n"
        "os.chmod('/opt/ml/model/deep', 0o700)",
        channels={"/opt/ml/input/data/train": [Source("x", str(body), 6)]},
    )
    assert watch.run(spec).outcome == "Completed"
    assert texts(engine, spec) == ["stored 0"]
    assert body.read_text() == "stored"
    assert (body.stat().st_uid, body.stat().st_mode & 0o777) == (0, 0o600)
    model = tmp_path / "state" / "instances" / spec.id / "ml" / "model" / "deep" / "weights"
    assert model.stat().st_uid == 0


@needs_own_uids
def test_a_file_that_only_root_may_read_stays_unread(engine: ProcessEngine) -> None:
    closed = [path for path in Path("/etc").iterdir() if path.is_file() and not path.stat().st_mode & 0o004]
    assert Path("/etc/shadow") in closed
    source = (
        "def readable(path):\n"
        "    try:\n        return bool(open(path, 'rb').read(1))\n"
        "    except OSError:\n        return False\n"
        f"print([path for path in {list(map(str, closed))!r} if readable(path)])"
    )
    assert run_lines(engine, source) == ["[]"]
    # Nor where a directory around it is to be seen.
    assert run_lines(engine, source, visible=["/etc"]) == ["[]"]


@needs_own_uids
def test_says_so_where_there_are_no_uids(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    real = machine.probe
    monkeypatch.setattr(
        machine, "probe", lambda bwrap, directory, uid=0: ("none", "no id maps") if uid else real(bwrap, directory)
    )
    engine = ProcessEngine(tmp_path / "instances", tmp_path / "layers")
    spec = program("print(os.getuid())")
    status = Watch(engine).run(spec)
    assert status.outcome == "Completed"
    assert status.notices == ["Programs run as Clary's own user here, which is root: no id maps."]
    assert texts(engine, spec)[-1] == "0"
