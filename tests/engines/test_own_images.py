"""Programs of images of the user's own: they see the image, are whom it says, and change nothing but their instance."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from clary.engines import machine
from clary.engines.process import ProcessEngine
from clary.instance.spec import InstanceSpec, Output, Source
from tests.engines.capability import own_uids, sandbox_works
from tests.engines.instances import Watch, texts
from tests.engines.ordinary import run_as_ordinary_user
from tests.oci_images import build, busybox_layer, layer, member, script

pytestmark = pytest.mark.skipif(not sandbox_works(), reason="this machine refuses a sandbox")

Started = Callable[..., InstanceSpec]


@pytest.fixture
def engine(tmp_path: Path) -> ProcessEngine:
    return ProcessEngine(tmp_path / "state" / "instances", tmp_path / "state" / "layers", "require")


def own(
    tmp_path: Path,
    train: str = "",
    arguments: Sequence[str] = ("train",),
    layers: Sequence[bytes] = (),
    **settings: Any,
) -> InstanceSpec:
    """An instance of an image of busybox whose `train` is this shell script."""
    top = layer({"/usr/bin/train": script(train)}) if train else layer({})
    built = build(tmp_path / "built", [busybox_layer(), *layers, top], **settings)
    name = f"own-{os.urandom(6).hex()}"
    return InstanceSpec(name, list(arguments), container=built.image, grace=5.0)


def lines(engine: ProcessEngine, spec: InstanceSpec) -> list[str]:
    status = Watch(engine).run(spec)
    assert status.outcome == "Completed", (status.reason, texts(engine, spec))
    told = {*status.notices, *(line for line in texts(engine, spec) if line.startswith(("Downloading", "Unpacked")))}
    return [line for line in texts(engine, spec) if line not in told]


def test_train_is_found_on_the_images_path_and_sees_the_image_alone(engine: ProcessEngine, tmp_path: Path) -> None:
    spec = own(tmp_path, "pwd\nid -u\nls /usr/bin /usr\nls -d /root /home /work /etc/shadow 2>/dev/null\necho $HOME")
    assert lines(engine, spec) == ["/", "0", "/usr:", "bin", "", "/usr/bin:", "train", "/root", "/root"]


@pytest.mark.parametrize(
    ("settings", "entrypoint", "arguments", "printed"),
    [
        ({"Entrypoint": ["echo", "own"]}, None, ["train"], "own train"),
        ({"Entrypoint": ["echo", "own"], "Cmd": ["cmd"]}, None, [], "own cmd"),
        ({"Cmd": ["echo", "cmd"]}, None, [], "cmd"),
        ({"Entrypoint": ["echo", "own"], "Cmd": ["cmd"]}, ["echo", "given"], ["a", "b"], "given a b"),
        ({"Entrypoint": ["sh", "-c", 'echo $A-$B $PATH $PWD "$@"', "x"], "Env": ["A=1", "B=2=3", "PATH=/bin"],
          "WorkingDir": "/made/for it"}, None, ["train"], "1-2=3 /bin /made/for it train"),
    ],
)  # fmt: skip
def test_the_configuration_says_what_runs(
    engine: ProcessEngine,
    tmp_path: Path,
    settings: dict[str, Any],
    entrypoint: list[str] | None,
    arguments: list[str],
    printed: str,
) -> None:
    spec = own(tmp_path, "", arguments, **settings)
    assert spec.container
    spec.container = type(spec.container)(
        spec.container.reference, spec.container.digest, spec.container.config, spec.container.layers, entrypoint
    )
    assert lines(engine, spec) == [printed]


@pytest.mark.parametrize(
    ("user", "printed"),
    [
        ("", "0 0 root /root"),
        ("1234", "1234 0 unknown /"),
        ("app", "1000 1001 app /home/app"),
        ("app:staff", "1000 50 app /home/app"),
        ("7:8", "7 8 unknown /"),
    ],
)
def test_it_runs_as_the_images_user(engine: ProcessEngine, tmp_path: Path, user: str, printed: str) -> None:
    accounts = layer(
        {"etc/passwd": "root:x:0:0::/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\n", "etc/group": "staff:x:50:\n"}
    )
    script = (
        'echo "$(id -u) $(id -g) $(whoami 2>/dev/null || echo unknown) $HOME"\n'
        "echo saved > /opt/ml/model/weights && echo x > /usr/bin/written && echo x > /tmp/x\n"
        "grep CapEff /proc/self/status"
    )
    spec = own(tmp_path, script, layers=[accounts], User=user)
    spec.outputs = [Output("model.tar.gz", "/opt/ml/model")]
    printed_line, capabilities = lines(engine, spec)
    assert printed_line == printed
    assert (capabilities.split()[1] == "0" * 16) == (not printed.startswith("0"))
    assert engine.output(spec.id, "model.tar.gz")


def test_a_user_that_the_image_has_none_of_is_refused(engine: ProcessEngine, tmp_path: Path) -> None:
    status = Watch(engine).run(own(tmp_path, "true", User="ghost"))
    assert status.outcome == "Failed"
    assert "its /etc/passwd has no user 'ghost'" in status.reason


def test_changes_stay_with_the_instance(engine: ProcessEngine, tmp_path: Path) -> None:
    spec = own(
        tmp_path, "ls / /bin | grep -c changed; echo x > /changed; rm /bin/grep; echo x >> /etc/passwd; echo done"
    )
    assert lines(engine, spec) == ["0", "done"]
    again = InstanceSpec("again", ["train"], container=spec.container)
    assert lines(engine, again) == ["0", "done"]


def test_opt_ml_is_the_instances_beside_what_the_image_has_there(engine: ProcessEngine, tmp_path: Path) -> None:
    """As images do that bring their code in /opt/ml/code."""
    body = tmp_path / "body"
    body.write_text("stored")
    brought = layer({"opt/ml/code/train.sh": "echo code", "opt/ml/model/old": "old", "opt/ml/input/data/old": "old"})
    train = (
        "sh /opt/ml/code/train.sh; ls /opt/ml /opt/ml/model; cat /opt/ml/input/config/hyperparameters.json\n"
        "cat /opt/ml/input/data/train/x; echo changed >> /opt/ml/input/data/train/x; ls /opt/ml/input/data\n"
        "echo weights > /opt/ml/model/new"
    )
    spec = own(tmp_path, train, layers=[brought])
    spec.files = {"/opt/ml/input/config/hyperparameters.json": '{"a": "1"}\n'}
    spec.channels = {"/opt/ml/input/data/train": [Source("x", str(body), 6)]}
    spec.outputs = [Output("model.tar.gz", "/opt/ml/model")]
    assert lines(engine, spec) == [
        *("code", "/opt/ml:", "code", "input", "model", "output", "", "/opt/ml/model:"),
        *('{"a": "1"}', "storedtrain"),
    ]
    assert body.read_text() == "stored"
    packed = engine.output(spec.id, "model.tar.gz")
    assert packed
    assert subprocess.run(["tar", "-tzf", packed], capture_output=True, text=True, check=True).stdout == "new\n"


HOSTILE_PLACES = {
    "opt": "/oldroot{outside}",
    "opt/ml": "{outside}",
    "etc/hosts": "/oldroot{outside}/hosts",
    "etc/resolv.conf": "../run/systemd/resolve/stub-resolv.conf",
    "run": "/oldroot{outside}/run",
    "proc": "/oldroot{outside}",
    "sys": "/oldroot{outside}",
    "dev": "/oldroot{outside}",
    "tmp": "/oldroot{outside}",
    "root": "/oldroot{outside}",
    "work": "/oldroot{outside}/work",
}


@pytest.mark.parametrize("place", HOSTILE_PLACES)
@pytest.mark.parametrize("containment", ["overlay", "plain"])
def test_links_in_place_of_what_is_mounted_on_lead_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, containment: str
) -> None:
    if containment != "overlay":
        monkeypatch.setattr(machine, "probe", lambda *_: (containment, "no better"))
    engine = ProcessEngine(tmp_path / "state" / "instances", tmp_path / "state" / "layers", "require")
    outside = tmp_path / "outside"
    outside.mkdir()
    link = member(place, type=b"2", linkname=HOSTILE_PLACES[place].format(outside=outside))
    spec = own(tmp_path, "echo weights > /opt/ml/model/new && echo ran", layers=[layer({}, link)], WorkingDir="/work/x")
    assert lines(engine, spec) == ["ran"]
    assert (tmp_path / "state" / "instances" / spec.id / "ml" / "model" / "new").exists()
    assert not list(outside.iterdir())


@pytest.mark.parametrize("containment", ["memory-overlay", "plain"])
def test_lesser_sandboxes_run_it_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, containment: str) -> None:
    monkeypatch.setattr(machine, "probe", lambda *_: (containment, "no better"))
    engine = ProcessEngine(tmp_path / "state" / "instances", tmp_path / "state" / "layers", "require")
    spec = own(tmp_path, "for f in /x /tmp/x /root/x /opt/ml/model/x; do echo x > $f && echo $f; done; true")
    written = lines(engine, spec)
    assert {"/tmp/x", "/root/x", "/opt/ml/model/x"} <= set(written)
    assert ("/x" in written) == (containment == "memory-overlay")
    assert any("cannot be written to" in notice for notice in engine.poll(spec.id).notices) == (containment == "plain")


def test_nothing_runs_without_a_sandbox(tmp_path: Path) -> None:
    engine = ProcessEngine(tmp_path / "instances", tmp_path / "layers", "off")
    spec = own(tmp_path, "echo never")
    status = Watch(engine).run(spec)
    assert status.outcome == "Failed"
    assert "own/image:1 needs a sandbox" in status.reason
    assert "never" not in texts(engine, spec)


def test_a_program_that_is_not_there_is_named(engine: ProcessEngine, tmp_path: Path) -> None:
    status = Watch(engine).run(own(tmp_path))
    assert status.outcome == "Failed"
    assert "own/image:1 has no program 'train' on its PATH" in status.reason


def test_sigterm_reaches_the_program(engine: ProcessEngine, tmp_path: Path) -> None:
    watch = Watch(engine)
    spec = own(
        tmp_path, "trap 'echo saved > /opt/ml/model/checkpoint; exit 0' TERM\necho ready\nwhile :; do sleep 0.1; done"
    )
    spec.outputs = [Output("model.tar.gz", "/opt/ml/model")]
    engine.start([spec])
    watch.printed(spec, "ready")
    engine.stop(spec.id)
    assert watch.done(spec).outcome == "Stopped"
    assert engine.output(spec.id, "model.tar.gz")


def test_variables_of_the_loader_reach_the_program_alone(engine: ProcessEngine, tmp_path: Path) -> None:
    spec = own(tmp_path, "echo $LD_PRELOAD $LD_LIBRARY_PATH", Env=["LD_PRELOAD=/none.so", "LD_LIBRARY_PATH=/none"])
    assert lines(engine, spec) == ["/none.so /none"]


@pytest.mark.skipif(not own_uids(), reason="not root, or this machine lets programs have no own uid")
@pytest.mark.parametrize("by", ["image", "request"])
def test_a_nul_in_a_variable_is_no_option_of_the_sandbox(engine: ProcessEngine, tmp_path: Path, by: str) -> None:
    value = f"a\0--ro-bind\0{tmp_path}\0/host"
    spec = own(tmp_path, "ls /host", Env=[f"LD_X={value}"] if by == "image" else [])
    spec.environment = {"LD_X": value} if by == "request" else {}
    status = Watch(engine).run(spec)
    assert status.outcome == "Failed"
    assert status.reason.startswith("ClientError: 'a\\x00--ro-bind")
    assert "built" not in texts(engine, spec)


def test_what_no_program_can_be_given_is_refused_or_left_out(engine: ProcessEngine, tmp_path: Path) -> None:
    spec = own(tmp_path / "one", "pwd", WorkingDir="a\0b")
    assert "WorkingDir holds a NUL" in Watch(engine).run(spec).reason
    assert lines(engine, own(tmp_path / "other", "echo $A", Env=["=nameless", "A=b"])) == ["b"]


def test_root_of_an_image_is_nobody_outside(engine: ProcessEngine, tmp_path: Path) -> None:
    spec = own(tmp_path, "cat /proc/self/uid_map; mount -t tmpfs x /mnt || echo refused; chroot / /bin/true || echo no")
    (mapped, *refused) = lines(engine, spec)
    assert mapped.split()[0] == "0"
    assert int(mapped.split()[1]) >= 2_100_000_000
    assert [line for line in refused if line in ("refused", "no")] == ["refused", "no"]


def test_ten_first_starts_at_once_unpack_once(engine: ProcessEngine, tmp_path: Path) -> None:
    spec = own(tmp_path, "echo ran", layers=[layer({"data": os.urandom(2_000_000)})])
    watch = Watch(engine)
    specs = [InstanceSpec(f"ten-{number}", ["train"], container=spec.container) for number in range(10)]
    for each in specs:
        engine.start([each])
    assert [watch.done(each).outcome for each in specs] == ["Completed"] * 10
    assert sum("Unpacked the image own/image:1." in texts(engine, each) for each in specs) == 1
    entered = [list(engine.poll(each.id).entered) for each in specs]
    assert any(phases[:2] == ["Starting", "Pulling"] for phases in entered)


def test_an_agent_killed_while_it_unpacks_leaves_nothing_that_is_used(engine: ProcessEngine, tmp_path: Path) -> None:
    spec = own(tmp_path, "cat /data | wc -c", layers=[layer({"data": os.urandom(60_000_000)})])
    watch = Watch(engine)
    engine.start([spec])
    images = tmp_path / "state" / "images"
    watch.until(lambda: list(images.glob("layers/*/files/data")))
    os.kill(int((tmp_path / "state" / "instances" / spec.id / "agent.lock").read_text()), signal.SIGKILL)
    assert watch.done(spec).outcome == "Failed"
    again = InstanceSpec("again", ["train"], container=spec.container)
    assert lines(engine, again) == ["60000000"]


def test_one_that_is_there_starts_in_less_than_a_second(engine: ProcessEngine, tmp_path: Path) -> None:
    spec = own(tmp_path, "true")
    lines(engine, spec)
    took = []
    for number in range(3):
        began = time.time()
        again = InstanceSpec(f"again-{number}", ["train"], container=spec.container)
        status = Watch(engine).run(again)
        took.append(status.entered["Done"] - began)
        assert "Pulling" not in status.entered
    assert min(took) < 1.0


def test_an_ordinary_user_needs_no_rights_to_run_one() -> None:
    lines = run_as_ordinary_user("tests.engines.ordinary_own_image")
    assert lines == ["Completed ", "1000", "readable", "saved"]
