"""Images of users' own: what their layers say is what their root directory is, made once, whole or not at all."""

import gzip
import os
import shutil
import signal
import stat
import subprocess
import sys
import tarfile
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from clary.instance.errors import Refused, StopAsked
from clary.instance.own_images import roots
from clary.instance.own_images.merging import PLACES
from clary.instance.own_images.oci import OciImage
from clary.instance.own_images.roots import Root, provide
from tests.instance.ears import Ear
from tests.oci_images import Built, build, layer, member

LINK, HARD, DIRECTORY = tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE


@pytest.fixture
def store(tmp_path: Path) -> str:
    return str(tmp_path / "images")


def root_of(store: str, tmp_path: Path, *layers: bytes, compression: str = "gzip") -> Path:
    built = build(tmp_path / "built", layers, compression=compression)
    return Path(provide(store, built.image, 0, Ear()).directory)


def seen(root: Path) -> dict[str, str]:
    """Content of each file, and target of each link, that is not a place to mount on."""
    found = {}
    for parent, directories, names in os.walk(root):
        for name in (*directories, *names):
            path = Path(parent) / name
            key = str(path.relative_to(root))
            if path.is_symlink():
                found[key] = f"-> {os.readlink(path)}"
            elif path.is_file() and path.stat().st_size:
                found[key] = path.read_text()
    return found


@pytest.mark.parametrize("compression", ["", "gzip", "zstd"])
def test_later_layers_lie_over_earlier_ones(store: str, tmp_path: Path, compression: str) -> None:
    first = layer({"app/a": "1", "app/b": "1", "lib/x": "1"}, member("bin", type=LINK, linkname="usr/bin"))
    second = layer({"app/b": "2", "app/c": "2"})
    root = root_of(store, tmp_path, first, second, compression=compression)
    assert seen(root) == {"app/a": "1", "app/b": "2", "app/c": "2", "lib/x": "1", "bin": "-> usr/bin"}


def test_what_is_there_to_be_mounted_on_is_there(store: str, tmp_path: Path) -> None:
    root = root_of(store, tmp_path, layer({}, member("opt", type=LINK, linkname="/var/opt")))
    for place in PLACES:
        if not place.startswith("/opt"):
            assert (root / place.lstrip("/")).is_dir()
    assert (root / "var" / "opt" / "ml" / "model").is_dir()
    assert (root / "etc" / "hosts").is_file()


def test_whiteouts_take_away_what_lower_layers_have(store: str, tmp_path: Path) -> None:
    first = layer({"a/one": "1", "a/two": "1", "b/deep/x": "1", "c/x": "1", "c/y/z": "1", "d": "1"})
    second = layer({"a/.wh.one": "", ".wh.b": "", "c/.wh..wh..opq": "", "c/new": "2", ".wh.d": "", "d": "again"})
    root = root_of(store, tmp_path, first, second)
    assert seen(root) == {"a/two": "1", "c/new": "2", "d": "again"}
    assert not (root / "b").exists()


def test_files_and_directories_take_each_others_place(store: str, tmp_path: Path) -> None:
    first = layer({"a": "file", "b/x": "1"}, member("c", type=LINK, linkname="b"))
    second = layer({"a/x": "2", "b": "file"}, member("c", type=DIRECTORY), member("c/y", "2"))
    assert seen(root_of(store, tmp_path, first, second)) == {"a/x": "2", "b": "file", "c/y": "2"}


def test_a_directory_that_is_a_link_below_is_gone_into(store: str, tmp_path: Path) -> None:
    """As tools do that add a file to an image whose /lib is a link, without speaking of /lib."""
    first = layer({"usr/lib/x": "1"}, member("lib", type=LINK, linkname="usr/lib"))
    assert seen(root_of(store, tmp_path, first, layer({"lib/y": "2"}))) == {
        "usr/lib/x": "1",
        "usr/lib/y": "2",
        "lib": "-> usr/lib",
    }


def test_hard_links_modes_and_times(store: str, tmp_path: Path) -> None:
    kept = layer(
        {},
        member("bin/tool", "x", mode=0o4755, mtime=1_000_000_000),
        member("bin/other", type=HARD, linkname="bin/tool"),
        member("secret", "x", mode=0o600),
        member("closed", type=DIRECTORY, mode=0o500),
        member("closed/x", "x", mode=0o444),
    )
    root = root_of(store, tmp_path, kept, layer({"closed/y": "y"}))
    tool = (root / "bin" / "tool").stat()
    assert (tool.st_ino, tool.st_mtime) == ((root / "bin" / "other").stat().st_ino, 1_000_000_000)
    assert stat.S_IMODE(tool.st_mode) == 0o755
    assert stat.S_IMODE((root / "secret").stat().st_mode) == 0o600
    assert {path.name for path in (root / "closed").iterdir()} == {"x", "y"}


def test_devices_and_fifos_are_left_out(store: str, tmp_path: Path) -> None:
    built = build(
        tmp_path / "built",
        [layer({"a": "1"}, member("dev/mem", type=tarfile.CHRTYPE), member("fifo", type=tarfile.FIFOTYPE))],
    )
    ear = Ear()
    root = Path(provide(store, built.image, 0, ear).directory)
    assert seen(root) == {"a": "1"}
    assert not (root / "fifo").exists()
    assert any("Left out: 2 devices and fifos" in line for line in ear.said)


def test_a_file_with_holes_is_unpacked_with_them(store: str, tmp_path: Path) -> None:
    holes = tmp_path / "holes"
    with holes.open("wb") as file:
        file.seek(64 * 1024**2)
        file.write(b"end")
    packed = tmp_path / "packed.tar"
    subprocess.run(["tar", "--sparse", "-cf", packed, "-C", tmp_path, "holes"], check=True)
    assert packed.stat().st_size < 1024**2
    unpacked = root_of(store, tmp_path, packed.read_bytes()) / "holes"
    assert unpacked.stat().st_size == holes.stat().st_size
    assert unpacked.stat().st_blocks < 2048
    assert unpacked.read_bytes()[-3:] == b"end"


HOSTILE = {
    "a name that climbs": ([member("../evil", "x")], "leads out"),
    "a name that climbs later": ([member("a/../../evil", "x")], "leads out"),
    "a whiteout of the parent": ([member("a/.wh...", "")], "leads out"),
    "a whiteout of nothing": ([member("a/.wh.", "")], "cannot be unpacked"),
    "a hard link out": ([member("evil", type=HARD, linkname="../../../../../../etc/passwd")], "leads out"),
    "a hard link to a file of the host": ([member("evil", type=HARD, linkname="/etc/passwd")], "no file of its layer"),
    "a hard link through a link": (
        [member("way", type=LINK, linkname="/"), member("evil", type=HARD, linkname="way/etc/passwd")],
        "no file of its layer",
    ),
    "a loop": (
        [member("a", type=LINK, linkname="b"), member("b", type=LINK, linkname="a"), member("a/x", "x")],
        "loop of symbolic links",
    ),
    "a name too long": ([member("x" * 300, "x")], "cannot be unpacked"),
    "directories too deep": ([member("a/" * 400 + "x", "x")], "deep"),
    "a header too large": ([member("x", "x", pax_headers={"comment": "x" * 20 * 1024**2})], "cannot be unpacked"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_what_leads_out_is_refused_and_nothing_is_left(store: str, tmp_path: Path, case: str) -> None:
    members, reason = HOSTILE[case]
    with pytest.raises(Refused, match=reason):
        root_of(store, tmp_path, layer({}, *members))
    left = [path for path in Path(store).rglob("*") if path.name != "layers" and not path.name.endswith(".lock")]
    assert not left
    assert {path.name for path in tmp_path.iterdir()} == {"built", "images"}


@pytest.mark.parametrize("target", ["{outside}", "../../../../../../../../../..{outside}"])
def test_files_behind_a_link_out_stay_inside(store: str, tmp_path: Path, target: str) -> None:
    """As whoever has the image's root directory for its own would see it."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_text("kept")
    way = member("way", type=LINK, linkname=target.format(outside=outside))
    root = root_of(
        store,
        tmp_path,
        layer({}, way, member("way/evil", "x"), member("/absolute", "x")),
        layer({"way/.wh.kept": "", "way/second": "x"}),
        layer({}, member("way/.wh..wh..opq", ""), member("way/kept", type=DIRECTORY)),
    )
    assert {path.name: path.read_text() for path in outside.iterdir()} == {"kept": "kept"}
    assert (root / str(outside).lstrip("/") / "evil").read_text() == "x"
    assert (root / str(outside).lstrip("/") / "second").read_text() == "x"
    assert (root / "absolute").read_text() == "x"


def test_a_bomb_is_refused(store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """10 GB of zeros in 10 MB."""
    monkeypatch.setattr("clary.instance.own_images.tarball.ALWAYS_ALLOWED", 2**26)
    info, _ = member("zeros")
    info.size = 10 * 10**9
    # A gzip file may be several, one after the other.
    blob = gzip.compress(info.tobuf()) + 100 * gzip.compress(bytes(10**8))
    built = build(tmp_path / "built", [blob], compression="")
    with pytest.raises(Refused, match=r"unpacks to more than 0\.2\d+ GiB"):
        provide(store, built.image, 0, Ear())
    assert _bytes(store) < 1e6


def test_a_full_disk_is_told_and_nothing_is_left(store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built = build(tmp_path / "built", [layer({"large": os.urandom(5 * 1024**2)})])
    monkeypatch.setattr("clary.instance.room.Room._left", lambda _: 1024**2)
    monkeypatch.setattr("clary.instance.room.SOONEST", 0.0)
    with pytest.raises(Refused, match="DiskFull"):
        provide(store, built.image, 2 * 1024**2, Ear())
    assert _bytes(store) < 1e5


def _bytes(directory: str) -> int:
    return sum(path.lstat().st_blocks * 512 for path in Path(directory).rglob("*") if path.is_file())


@pytest.mark.parametrize("what", ["layer", "config"])
def test_bytes_of_another_digest_are_refused(store: str, tmp_path: Path, what: str) -> None:
    built = build(tmp_path / "built", [layer({"a": "1"})])
    blob = built.image.layers[0] if what == "layer" else built.image.config
    Path(blob.location).write_bytes(Path(blob.location).read_bytes() + b" ")
    with pytest.raises(Refused, match=f"{blob.digest} is damaged"):
        provide(store, built.image, 0, Ear())


def test_another_archive_than_the_configuration_names_is_refused(store: str, tmp_path: Path) -> None:
    built = build(tmp_path / "built", [layer({"a": "1"})])
    other = build(tmp_path / "other", [layer({"a": "2"})])
    with pytest.raises(Refused, match="is another one"):
        provide(store, OciImage("x", "", built.image.config, other.image.layers), 0, Ear())
    with pytest.raises(Refused, match="has 0 layers"):
        provide(store, OciImage("x", "", built.image.config, []), 0, Ear())


def test_an_image_for_another_machine_is_refused(store: str, tmp_path: Path) -> None:
    built = build(tmp_path / "built", [layer({"a": "1"})], platform=("linux", "mips"))
    with pytest.raises(Refused, match="made for linux/mips, and this machine is linux/"):
        provide(store, built.image, 0, Ear())


def test_a_configuration_that_would_fill_the_memory_is_not_read(
    store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roots, "LARGEST_CONFIG", 10_000)
    built = build(tmp_path / "built", [layer({"a": "1"})], Env=["LONG=" + "x" * 10_000])
    with pytest.raises(Refused, match="at most 10000 are read"):
        provide(store, built.image, 0, Ear())


def test_half_a_layer_is_refused(store: str, tmp_path: Path) -> None:
    whole = build(tmp_path / "whole", [layer({"a": os.urandom(100_000)})])
    half = Path(whole.image.layers[0].location).read_bytes()[:50_000]
    broken = build(tmp_path / "broken", [half], compression="")
    with pytest.raises(Refused, match="cannot be unpacked"):
        provide(store, OciImage("x", "", whole.image.config, broken.image.layers), 0, Ear())


def test_layers_are_unpacked_once_for_all_images(store: str, tmp_path: Path) -> None:
    base = layer({"base": "b" * 100})
    first = build(tmp_path / "first", [base, layer({"app": "1"})])
    second = build(tmp_path / "second", [base, layer({"app": "2"})])
    roots = [Path(provide(store, built.image, 0, Ear()).directory) for built in (first, second)]
    assert len({(root / "base").stat().st_ino for root in roots}) == 1
    assert [(root / "app").read_text() for root in roots] == ["1", "2"]
    again, ear = provide(store, first.image, 0, ear := Ear()), ear
    assert not again.built
    assert (ear.begun, ear.said) == (0, [])


def test_one_that_was_deleted_or_lies_elsewhere_is_named(store: str, tmp_path: Path) -> None:
    image = build(tmp_path / "built", [layer({"a": "1"})], reference="own/gone:1").image
    elsewhere = replace(image, layers=[replace(image.layers[0], location="")])
    with pytest.raises(Refused, match=f"{image.layers[0].digest} of the image own/gone:1 lies elsewhere"):
        provide(store, elsewhere, 0, Ear())
    os.unlink(image.layers[0].location)
    with pytest.raises(Refused, match=r"Cannot pull the image own/gone:1: .* No such file or directory"):
        provide(store, image, 0, Ear())


def test_many_who_ask_at_once_unpack_once(store: str, tmp_path: Path) -> None:
    built = build(tmp_path / "built", [layer({"a": os.urandom(3_000_000)})])
    found: list[Root] = []
    threads = [threading.Thread(target=lambda: found.append(provide(store, built.image, 0, Ear()))) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(each.built for each in found) == [False] * 9 + [True]


def test_who_unpacks_can_be_stopped(store: str, tmp_path: Path) -> None:
    ear = Ear()
    ear.stopped = True
    with pytest.raises(StopAsked):
        provide(store, build(tmp_path / "built", [layer({"a": "1"})]).image, 0, ear)


KILLED = (
    "import os, signal, sys\n"
    "from clary.instance.own_images import roots\n"
    "from clary.instance.spec import InstanceSpec\n"
    "from tests.instance.ears import Ear\n"
    "class Killed(Ear):\n"
    "    def check(self):\n"
    "        self.begun += 1\n"
    "        if self.begun == int(sys.argv[2]): os.kill(os.getpid(), signal.SIGKILL)\n"
    "roots.provide(sys.argv[1], InstanceSpec.from_json(sys.stdin.read()).container, 0, Killed())\n"
)


@pytest.mark.parametrize("moment", range(2, 14, 2))
def test_what_a_kill_left_half_unpacked_is_begun_anew(store: str, tmp_path: Path, moment: int) -> None:
    built = build(tmp_path / "built", [layer({f"a/{n}": os.urandom(800_000) for n in range(4)}), layer({"b": "2"})])
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, store, str(moment)],
        cwd=Path(__file__).parents[3],
        input=_spec_json(built),
        text=True,
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL
    again = provide(store, built.image, 0, Ear())
    assert again.built
    assert {path.name for path in (Path(again.directory) / "a").iterdir()} == {"0", "1", "2", "3"}
    assert all(path.stat().st_size == 800_000 for path in (Path(again.directory) / "a").iterdir())


def _spec_json(built: Built) -> str:
    from clary.instance.spec import InstanceSpec

    return InstanceSpec("x", [], container=built.image).to_json()


def test_removing_works_on_what_no_one_may_enter(store: str, tmp_path: Path) -> None:
    root = root_of(store, tmp_path, layer({}, member("closed", type=DIRECTORY, mode=0), member("closed/x", "x")))
    shutil.rmtree(root)
