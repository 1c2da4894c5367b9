"""The container runtime of this machine: what serves the Docker Engine API on a Unix socket, as Docker and Podman do.

Everything that Clary makes there carries a label with the directory of its instances, so that it is found again
whatever crashed.
"""

from __future__ import annotations

import contextlib
import glob
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from clary.instance.node import Runtime

if TYPE_CHECKING:
    from docker import DockerClient

LABEL = "clary.instances"
SCHEME = "unix://"
SOCKETS = (
    "/var/run/docker.sock",
    "{runtime}/docker.sock",
    "/run/podman/podman.sock",
    "{runtime}/podman/podman.sock",
)
"""Where the daemons listen, of root and of users with a runtime directory of their own (XDG_RUNTIME_DIR)."""
TIMEOUT = 60.0
"""Seconds that the runtime may take for one answer."""
LIMITS = {"cpu": "CpuCfsQuota", "memory": "MemoryLimit", "pids": "PidsLimit"}
VARIABLES = ("HOME", "PATH", "DOCKER_CONFIG", "XDG_RUNTIME_DIR")
"""What the client needs to find the credentials of registries that the user has logged in to."""


class RuntimeUnusable(Exception):
    """No container runtime answers, or it is not one that Clary can use. The text is for the operator."""


class ContainerRuntime:
    def __init__(self, address: str = "") -> None:
        """`address` is `unix:///path`; where empty, DOCKER_HOST or the first of the usual sockets. Raises
        `RuntimeUnusable`."""
        self.address = address or default_address()
        self._client = connect(self.address)
        try:
            self._facts: dict[str, Any] = self._client.info()
        except Exception as error:
            raise RuntimeUnusable(f"The container runtime at {self.address} does not answer: {error}") from error

    def describe(self, runner: str, *, absent: bool) -> Runtime:
        """As the node of an instance tells it to its agent."""
        return Runtime(
            runner=runner,
            address=self.address,
            version=self._client.api.api_version,
            limits=[name for name, fact in LIMITS.items() if self._facts.get(fact)],
            user=self._user(),
            absent=absent,
            gpus=bool(glob.glob("/dev/nvidia[0-9]*")),
            variables={name: os.environ[name] for name in VARIABLES if name in os.environ},
        )

    def _user(self) -> str:
        """Root in the container is the user who runs Clary, unless a daemon that is root is asked by somebody else, who
        could not read nor delete what is left."""
        rootless = any("name=rootless" in option for option in self._facts.get("SecurityOptions") or ())
        return "" if rootless or os.geteuid() == 0 else f"{os.geteuid()}:{os.getegid()}"

    def has(self, image: str) -> bool:
        """Also False of what is no name of an image: who pulls it is told what is wrong with it."""
        from docker.errors import APIError

        try:
            self._client.images.get(image)
        except APIError:
            return False
        return True

    def containers(self, owner: str) -> Iterable[str]:
        """The names of all containers of the instances in the directory `owner`, running or not."""
        found = self._client.api.containers(all=True, filters={"label": f"{LABEL}={owner}"})
        return [name.lstrip("/") for container in found for name in container["Names"][:1]]

    def remove(self, name: str) -> None:
        """End and delete the container, where there is one."""
        remove(self._client, name)


def connect(address: str, version: str = "auto") -> DockerClient:
    try:
        import docker
    except ImportError:
        raise RuntimeUnusable("Containers need the client of their runtime: pip install 'clary[docker]'.") from None
    if not address.startswith(SCHEME):
        raise RuntimeUnusable(
            f"The container runtime must be on this machine, as Clary's directories are mounted into containers: "
            f"{address} is not {SCHEME}/path."
        )
    try:
        return docker.DockerClient(base_url=address, version=version, timeout=TIMEOUT)
    except docker.errors.DockerException:
        raise RuntimeUnusable(
            f"No container runtime answers at {address}. Is Docker running, or `podman system service`?"
        ) from None


def default_address() -> str:
    if os.environ.get("DOCKER_HOST"):
        return os.environ["DOCKER_HOST"]
    own = os.environ.get("XDG_RUNTIME_DIR", "/run/user/none")
    paths = [path.format(runtime=own) for path in SOCKETS]
    # Where there is none, the error names the one that most have.
    return SCHEME + next((path for path in paths if os.path.exists(path)), paths[0])


def container_name(instance_id: str) -> str:
    """The same however often it is made: who starts an instance again finds what was left of it."""
    return f"clary-{instance_id}"


def remove(client: DockerClient, name: str) -> None:
    from docker.errors import NotFound

    with contextlib.suppress(NotFound):
        client.api.remove_container(name, force=True, v=True)
