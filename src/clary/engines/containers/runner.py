"""Runs the program of an instance in a container: a process of its own, between the agent and the container runtime.

    agent ─▶ runner ─▶ create → attach → start → copy output → its exit code is the program's
      └ SIGTERM, or `KILL` (also when the agent itself is killed) ─▶ the same to the container

Whatever happens to it, the container goes: here, or by the engine that next looks (`ContainerEngine`).
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from typing import Any

from docker import DockerClient
from docker.errors import APIError
from docker.models.containers import Container

from clary.engines.containers.images import PullFailed, fetch, name_of
from clary.engines.containers.options import PORT, options
from clary.engines.containers.runtime import RuntimeUnusable, connect, container_name, remove
from clary.instance import libc
from clary.instance.layout import Layout
from clary.instance.node import Node, Runtime
from clary.instance.own_images.oci import OciImage
from clary.instance.processes import EXEC_FAILED
from clary.instance.spec import InstanceSpec
from clary.instance.vessel import ADDRESS, KILL, Verdict

PR_SET_PDEATHSIG = 1
CREATION = 120.0
"""Seconds that a container may take to start, for who waits to end it."""
AFTER_OUTPUT = 2.0
"""Seconds between the end of a container's output and the runtime's knowledge that it has ended."""
CODE = 20.0
"""Seconds that the runtime may take to learn the exit code of a container that has ended."""
REMOVALS, REMOVAL_PAUSE = 5, 0.2
"""How often, and after how many seconds, it is tried to delete a container."""
MISTAKES = ("not found", "no such file", "permission denied", "exec format error", "not a directory", "is a directory")
"""What runtimes say where the program cannot be run as it is."""
KILLED = 128 + signal.SIGKILL


def main(verb: str, instance: str, protected: list[str], begun: int) -> int:
    """`pull` the image of an instance, or `run` its program. Returns the exit code. `begun` is an open pipe, into which
    something comes once the program runs."""
    layout = Layout(instance)
    with open(layout["node.json"], encoding="utf-8") as file:
        node = Node.from_json(file.read())
    with open(layout["spec.json"], encoding="utf-8") as file:
        spec = InstanceSpec.from_json(file.read())
    assert node.runtime is not None
    assert spec.container is not None
    if verb == "pull":
        return _pull(node.runtime, spec.container)
    return _run(layout, spec, node, node.runtime, protected, begun)


def _pull(runtime: Runtime, image: OciImage) -> int:
    try:
        fetch(connect(runtime.address, runtime.version), image)
    except (PullFailed, RuntimeUnusable) as error:
        print(error, file=sys.stderr, flush=True)
        return 1
    return 0


def _run(layout: Layout, spec: InstanceSpec, node: Node, runtime: Runtime, protected: list[str], begun: int) -> int:
    # Before there is a thread, which would otherwise take them; `Ender` waits for them.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, KILL})
    libc.prctl(PR_SET_PDEATHSIG, KILL)
    verdict = Verdict()
    try:
        code = run(spec, node, runtime, protected, begun, verdict)
    except Exception as error:
        verdict.refusal = f"InternalServerError: the container runtime: {error}"
        code = EXEC_FAILED
    verdict.write(layout)
    return code


def run(spec: InstanceSpec, node: Node, runtime: Runtime, protected: list[str], begun: int, verdict: Verdict) -> int:
    client = connect(runtime.address, runtime.version)
    name = container_name(spec.id)
    remove(client, name)
    ender = Ender(connect(runtime.address, runtime.version), name)
    ender.start()
    assert spec.container is not None
    image = client.images.get(name_of(spec.container))
    if image.attrs["Config"].get("User") not in (None, "", "0", "root"):
        open_to_all(Layout(node.instance), protected)
    made = options(spec, node, runtime, protected)
    container = client.containers.create(image, **made)
    try:
        output = client.api.attach(container.id, stdout=True, stderr=True, stream=True, demux=True)
        if not _start(container):
            return EXEC_FAILED
        ender.started.set()
        os.write(begun, b".")
        if spec.serves:
            _tell_address(container, spec.port or PORT, Layout(node.instance))
        for stdout, stderr in output:
            _copy(1, stdout)
            _copy(2, stderr)
        state = _ending(container)
        # Podman does not always tell. Nothing inside can kill the first process of a container, and the agent did not.
        killed = state["ExitCode"] == KILLED and not ender.killed
        verdict.out_of_memory = bool(state.get("OOMKilled")) or ("mem_limit" in made and killed)
        return int(state["ExitCode"])
    finally:
        _clear_away(client, name)


def _clear_away(client: DockerClient, name: str) -> None:
    """That this fails is no failure of the program, which has ended: what stays goes when the instance is released."""
    for _ in range(REMOVALS):
        try:
            remove(client, name)
        except APIError:
            # Something is busy yet.
            time.sleep(REMOVAL_PAUSE)
        except Exception:
            return
        else:
            return


def open_to_all(layout: Layout, protected: list[str]) -> None:
    """Let a user of the image's own write what the agent staged in: nobody else of the machine comes by the directory
    of instances."""
    linked = {layout.host(path) for path in protected}
    for parent, directories, names in os.walk(layout["ml"]):
        directories[:] = [name for name in directories if f"{parent}/{name}" not in linked]
        os.chmod(parent, 0o777)
        for name in names:
            if not os.path.islink(path := f"{parent}/{name}"):
                os.chmod(path, os.stat(path).st_mode | 0o666)


def _start(container: Container) -> bool:
    """False where the image has no such program, which is the user's mistake. Raises `APIError` for all others."""
    try:
        container.start()
    except APIError as error:
        if not any(mistake in str(error.explanation).lower() for mistake in MISTAKES):
            raise
        os.write(2, f"{error.explanation}\n".encode())
        return False
    return True


def _copy(fd: int, data: bytes | None) -> None:
    rest = memoryview(data or b"")
    while rest:
        rest = rest[os.write(fd, rest) :]


def _ending(container: Container) -> dict[str, Any]:
    """The state of a container whose output has ended. Podman's own `wait` looks four times a second."""
    until = time.monotonic() + AFTER_OUTPUT
    while time.monotonic() < until:
        container.reload()
        if container.attrs["State"]["Status"] in ("exited", "dead", "stopped"):
            break
        time.sleep(0.01)
    # Once it has ended this answers at once, and with the code also where the state does not tell it yet; Podman says
    # -1 on a busy machine, until it has read the code itself.
    until = time.monotonic() + CODE
    while (code := container.wait(timeout=None)["StatusCode"]) < 0:
        if time.monotonic() > until:
            raise RuntimeUnusable("it does not know how the container ended")
        time.sleep(0.05)
    container.reload()
    state: dict[str, Any] = {**container.attrs["State"], "ExitCode": code}
    return state


def _tell_address(container: Container, port: int, layout: Layout) -> None:
    container.reload()
    published = (container.attrs["NetworkSettings"].get("Ports") or {}).get(f"{port}/tcp")
    if published:
        from clary.files import write_atomically

        write_atomically(layout[ADDRESS], f"{published[0]['HostIp'] or '127.0.0.1'}:{published[0]['HostPort']}")


class Ender(threading.Thread):
    """Hands on to the container what the agent sends to the runner."""

    def __init__(self, client: DockerClient, name: str) -> None:
        super().__init__(daemon=True)
        self.started = threading.Event()
        self.killed = False
        self._client = client
        self._name = name

    def run(self) -> None:
        while True:
            number = signal.sigwait({signal.SIGTERM, KILL})
            self.started.wait(CREATION)
            self.killed = self.killed or number == KILL
            try:
                self._client.api.kill(self._name, signal.SIGKILL if number == KILL else signal.SIGTERM)
            except Exception as error:
                # Ended already; or the runtime is away, and nothing more can be done from here.
                if number == KILL and not _is_gone(error):
                    os._exit(KILLED)


def _is_gone(error: Exception) -> bool:
    return isinstance(error, APIError) and error.status_code in (404, 409)
