"""What surrounds a program: its sandbox, or the directory that stands in for one, and its environment variables.

With a sandbox the program sees `/opt/ml` itself. Without one, `SAGEMAKER_BASE_DIR` names the directory in its place,
and arguments, variables and the working directory that begin with `/opt/ml` are rewritten to it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import clary
from clary.instance.data.mounts import prepare
from clary.instance.data.packing import is_plain_directory
from clary.instance.environments.interpreter import Interpreter, inspect
from clary.instance.errors import Refused
from clary.instance.layout import RUN_VIEW, VIEW, Layout
from clary.instance.network.borders import enter_network, start_inward, start_outward
from clary.instance.node import Node
from clary.instance.processes import chain
from clary.instance.program import Command
from clary.instance.sandbox.bubblewrap import FOR_THE_LOADER, HOME, Mounts, enclose, interpreter_mounts, nobody_of
from clary.instance.sandbox.cgroups import Group
from clary.instance.sandbox.confinement import confine, keep_from_the_hosts_sockets
from clary.instance.spec import InstanceSpec, Mount

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PIP_CONFIGURATION = "/run/pip.conf"
"""Where a sandbox has the user's, whose own place would be in a HOME that is not the program's."""
SMALL_CHANNEL = 256 * 1024 * 1024
"""Bytes up to which a channel is copied, to be writable, where there are no overlays."""


class Surroundings:
    def __init__(self, node: Node, layout: Layout, spec: InstanceSpec) -> None:
        self.contained = node.containment != "none"
        if spec.isolated and not self.contained:
            raise Refused("InternalServerError: network isolation was asked for, and this machine allows no sandbox.")
        self.overlays = node.containment in ("overlay", "memory-overlay")
        self.interpreter: Interpreter | None = inspect(spec.interpreter) if spec.interpreter else None
        self._node = node
        self._layout = layout
        self._spec = spec
        self._mounts = Mounts(layout, node.containment)
        self._mounts.readable += [os.path.dirname(clary.__file__), *node.visible, *spec.visible]
        if node.pip_configuration:
            self._mounts.named[PIP_CONFIGURATION] = node.pip_configuration
        if self.interpreter:
            interpreter_mounts(self._mounts, self.interpreter)
        self._nobody = nobody_of(node) if self.contained else None
        self._socket = "model.sock" if spec.models else "server.sock"
        self._bind = f"unix:{RUN_VIEW if self.contained else node.run}/{self._socket}"
        self._handed: list[int] = []
        self._site: list[str] = [self._own_library()] if spec.image else []
        self._bin: list[str] = []

    def _own_library(self) -> str:
        """A directory that holds Clary's package and nothing else: what an image's environment has none of."""
        library = self._layout["run/lib"]
        os.makedirs(library, exist_ok=True)
        os.symlink(os.path.dirname(clary.__file__), f"{library}/clary")
        return f"{RUN_VIEW}/lib" if self.contained else library

    def group(self) -> Group:
        """What limits the program."""
        return Group.create(self._layout.id, self._spec.vcpus, self._spec.memory, self._node.processes)

    def links(self, directory: str, size: int) -> bool:
        """Whether a channel of `size` bytes may be links to files that the program must not write.

        Not where its directory is kept: what a program changes in an overlay is not in the directory.
        """
        if not self.contained or is_kept(directory, self._spec):
            return False
        return self.overlays or size > SMALL_CHANNEL

    def protect(self, directory: str) -> None:
        """The files of this directory of the view are links."""
        self._mounts.changeable[directory] = self._layout.host(directory)

    def mount(self, path: str, mount: Mount) -> str:
        """Let the program see the directory at this path of the view. What it should know of that, if anything."""
        source, place = prepare(self._layout, path, mount), self._layout.host(path)
        if self.contained:
            (self._mounts.bound if mount.writable else self._mounts.named)[path] = source
            return ""
        os.rmdir(place)
        os.symlink(source, place)
        return "" if mount.writable else f"{path} can be written to: this machine allows no sandbox."

    def serve_on(self, listener: int) -> None:
        """The program's server, or what has its place before it (`borders`, `models`), listens on this socket, and not
        on one in its own directory."""
        if not self._spec.models:
            self._bind = f"fd:{listener}"
        self._handed.append(listener)

    def add_layer(self, directory: str, site: str) -> None:
        self._mounts.readable.append(directory)
        self._site.append(site)
        self._bin.append(f"{directory}/bin")

    def command(self, prepare: Callable[[], None]) -> Command:
        """The program of the spec."""
        environment = self._spec.environment
        if not self.overlays:
            environment = {**self._installs(), **environment}
        # A program that installed requirements could have put links in their place, which bubblewrap would follow.
        for directory in self._mounts.changeable.values():
            if directory.startswith(f"{self._layout.root}/") and not is_plain_directory(directory, self._layout.root):
                raise Refused(f"ClientError: {directory[len(self._layout.root) + 1 :]} is no directory any more.")
        command = self._command(self._spec.command, self._spec.workdir, environment, self._mounts, prepare)
        before = self._spec.port or self._spec.models
        return replace(command, beside=self._start_beside, handed=[] if before else self._handed)

    def tool(self, argv: Sequence[str], workdir: str, writable: str, readable: str) -> Command:
        """Another program in the same surroundings, which may also read and write these paths of the host."""
        scratch = self._layout["scratch/tool"]
        mounts = replace(
            self._mounts, scratch=scratch, writable=[writable], readable=[*self._mounts.readable, readable]
        )
        command = self._command(argv, workdir, {}, mounts, lambda: None)
        return replace(command, beside=lambda: start_outward(self._node, self._spec))

    def _command(
        self,
        argv: Sequence[str],
        workdir: str,
        environment: dict[str, str],
        mounts: Mounts,
        prepare: Callable[[], None],
    ) -> Command:
        variables = {**self._base(), **environment}
        if self._site:
            paths = [*self._site, environment.get("PYTHONPATH", "")]
            variables["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
        check_words([*argv, workdir, *variables, *variables.values()])
        if self.interpreter and argv[0] == "python":
            argv = [self.interpreter.executable, *argv[1:]]
        if self.contained:
            kept = {name: value for name, value in variables.items() if name.startswith(FOR_THE_LOADER)}
            variables = {name: value for name, value in variables.items() if name not in kept}
            wrapper, enter = enclose(self._node, mounts, self._nobody, spec=self._spec, workdir=workdir, variables=kept)
            before = chain(prepare, confine, keep_from_the_hosts_sockets, self._enter_network, enter)
            return Command([*wrapper, *argv], variables, "/", True, before)
        host = self._layout.host
        variables = {name: host(value) for name, value in variables.items()}
        return Command([host(word) for word in argv], variables, host(workdir), False, chain(prepare, confine))

    def _start_beside(self) -> None:
        start_outward(self._node, self._spec)
        if self._spec.port:
            start_inward(self._node, self._spec, self._socket, *([] if self._spec.models else self._handed))
        if self._spec.models:
            from clary.instance.models import process

            process.start(self._node, self._spec, self._socket, *self._handed, contained=self.contained)

    def _enter_network(self) -> None:
        enter_network(self._node, self._spec.hostname)

    def _base(self) -> dict[str, str]:
        own_bin = [self.interpreter.bin] if self.interpreter else []
        variables = {
            "PATH": os.pathsep.join([*self._bin, *own_bin, SYSTEM_PATH]),
            "LANG": "C.UTF-8",
            "PYTHONUNBUFFERED": "1",
            "PIP_ROOT_USER_ACTION": "ignore",
            # Spinning OpenMP threads of several instances starve each other on a machine that is shared.
            "OMP_WAIT_POLICY": "PASSIVE",
            **self._node.environment,
        }
        if self.contained:
            if self._node.pip_configuration:
                variables["PIP_CONFIG_FILE"] = PIP_CONFIGURATION
            return {**variables, "HOME": HOME, "CLARY_BIND": self._bind}
        if self._node.pip_configuration:
            variables["PIP_CONFIG_FILE"] = self._node.pip_configuration
        home, temporary = self._layout["scratch/home"], self._layout["scratch/tmp"]
        for directory in (home, temporary):
            os.makedirs(directory, exist_ok=True)
        return {
            **variables,
            "HOME": home,
            "TMPDIR": temporary,
            "SAGEMAKER_BASE_DIR": self._layout.host(VIEW),
            "CLARY_BIND": self._bind,
        }

    def _installs(self) -> dict[str, str]:
        """Where no overlay protects the interpreter, what a running program installs goes to a place of its own."""
        target = f"{RUN_VIEW if self.contained else self._layout['run']}/site-packages"
        self._site.insert(0, target)
        return {"PIP_TARGET": target}


def check_words(words: Iterable[str]) -> None:
    """What bubblewrap reads ends at a NUL: whatever came after one would be an option of its own, such as a mount."""
    for word in words:
        if "\0" in word:
            raise Refused(f"ClientError: {word[:80]!r} holds a NUL, which no argument and no variable may.")


def is_kept(directory: str, spec: InstanceSpec) -> bool:
    """Whether files of this directory of the view are among what is kept of the instance."""
    return any(_overlap(directory, kept) for kept in spec.kept)


def _overlap(one: str, other: str) -> bool:
    return f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/")
