"""A Ray cluster of several nodes on this machine: each has an address of its own, and a temporary directory."""

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

RAY = str(Path(sys.executable).with_name("ray"))
GIB = 2**30
MEMORY, VCPUS = 64 * GIB, 16
"""What each node says that it has: instances are promises here."""
START_SECONDS = 60.0
QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_memory_monitor_refresh_ms": "0",  # Ray kills where others fill this machine's memory.
    "RAY_raylet_client_num_connect_attempts": "3",
    "GRPC_ENABLE_FORK_SUPPORT": "0",
}


class Node:
    def __init__(self, directory: Path, address: str, *arguments: str, variables: dict[str, str] | None = None) -> None:
        self.address = address
        self.directory = directory
        directory.mkdir(parents=True)
        self._log = directory / "ray.log"
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(RAY, "start", "--block", "--disable-usage-stats", f"--node-ip-address={address}", *arguments),
                    *(f"--memory={MEMORY}", "--object-store-memory=80000000"),
                ],
                env={**os.environ, **QUIET, "TMPDIR": str(directory), **(variables or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def wait(self) -> None:
        """Return when it has joined the cluster."""
        deadline = time.monotonic() + START_SECONDS
        while "Ray runtime started" not in (said := self._log.read_text()):
            assert self._process.poll() is None, said
            assert time.monotonic() < deadline, said
            time.sleep(0.1)

    def kill(self) -> None:
        """As a machine goes that loses its power, but for what guards do."""
        for pid in session(self._process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()

    def left(self) -> list[str]:
        """The instances whose directories are there."""
        return [path.parent.name for path in self.directory.glob("clary-hosts-*/*/instances")]


class Cluster:
    def __init__(self, directory: Path, vcpus: int = VCPUS) -> None:
        """Each node says that it has so many `vcpus`."""
        self._directory = directory
        self._vcpus = vcpus
        # Nodes and clients must be of one mind, which else depends on whether a token lies in the user's home.
        os.environ.setdefault("RAY_AUTH_MODE", "disabled")
        self._net = f"127.99.{random.randrange(256)}"
        self._count = 0
        self.port, self.client_port = free_port(), free_port()
        self.nodes: list[Node] = []

    @property
    def address(self) -> str:
        return f"ray://{self._net}.1:{self.client_port}"

    def up(self, nodes: int) -> "Cluster":
        self.start_head()
        # One after the other: on one machine two at once may choose the same sockets.
        for _ in range(nodes - 1):
            self.add()
        return self

    def start_head(self) -> Node:
        self._count += 1
        head = Node(
            self._directory / f"node-{self._count}",
            f"{self._net}.1",
            *("--head", f"--port={self.port}", f"--ray-client-server-port={self.client_port}"),
            *("--include-dashboard=false", f"--temp-dir={self._short()}", f"--num-cpus={self._vcpus}"),
        )
        head.wait()
        self.nodes.insert(0, head)
        return head

    def add(self, variables: dict[str, str] | None = None) -> Node:
        self._count += 1
        node = Node(
            self._directory / f"node-{self._count}",
            f"{self._net}.{self._count}",
            *(f"--address={self._net}.1:{self.port}", f"--num-cpus={self._vcpus}"),
            variables=variables,
        )
        self.nodes.append(node)
        node.wait()
        return node

    def kill(self, node: Node) -> None:
        self.nodes.remove(node)
        node.kill()

    def down(self) -> None:
        for node in reversed(self.nodes):
            node.kill()
        shutil.rmtree(self._short(), ignore_errors=True)

    def _short(self) -> str:
        """Ray's own sockets need a short path."""
        return f"/tmp/clary-ray-{self.port}"


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def session(leader: int) -> list[int]:
    """The processes of a session."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if int((entry / "stat").read_text().rpartition(")")[2].split()[3]) == leader:
                    found.append(int(entry.name))
    return found
