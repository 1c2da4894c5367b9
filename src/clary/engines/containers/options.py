"""What the container of an instance is made with, from what the instance and its machine were told.

The directories of `/opt/ml` and `/run/clary` are the instance's, as in a sandbox; of `/opt/ml` the image's own are seen
wherever the instance brings none. Files that are links into the object store are mounted so that nothing can be written
to them.
"""

from __future__ import annotations

import os
from typing import Any

from clary.engines.containers.runtime import LABEL, container_name
from clary.instance.data.mounts import resolve
from clary.instance.layout import RUN_VIEW, VIEW, Layout
from clary.instance.node import Node, Runtime
from clary.instance.own_images.surroundings import ALWAYS
from clary.instance.sandbox.cgroups import machine_memory
from clary.instance.spec import InstanceSpec

LOOPBACK = "127.0.0.1"
PORT = 8080
"""Where the server of an image listens: AWS's contract of hosting containers."""
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")


def options(spec: InstanceSpec, node: Node, runtime: Runtime, protected: list[str]) -> dict[str, Any]:
    """Arguments of docker's `containers.create` but the image. `protected` are directories of the program's view."""
    layout = Layout(node.instance)
    made = {
        "name": container_name(spec.id),
        "labels": {LABEL: os.path.dirname(layout.root)},
        "hostname": spec.hostname,
        "environment": environment(spec, node),
        "user": runtime.user or None,
        "mounts": mounts(layout, spec, protected),
        "shm_size": min(spec.memory or machine_memory(), machine_memory()) // 2,
        # The agent keeps the log.
        "log_config": {"Type": "none", "Config": {}},
        **command(spec),
        **limits(spec, node, runtime),
        **network(spec, node),
    }
    if node.gpus and runtime.gpus:
        own = [str(number) for number in node.gpus]
        made["device_requests"] = [{"Driver": "", "DeviceIDs": own, "Capabilities": [["gpu"]]}]
    return made


def environment(spec: InstanceSpec, node: Node) -> dict[str, str]:
    proxies = {name: value for name, value in node.environment.items() if name in PROXIES}
    return {"PYTHONUNBUFFERED": "1", **proxies, **spec.environment}


def command(spec: InstanceSpec) -> dict[str, Any]:
    assert spec.container is not None
    entrypoint, words = spec.container.entrypoint, spec.command
    if entrypoint is not None:
        # In one piece: an entrypoint that is empty reads as none at all.
        words = [*entrypoint, *words]
        entrypoint, words = words[:1], words[1:]
    return {"entrypoint": entrypoint, "command": words or None}


def mounts(layout: Layout, spec: InstanceSpec, protected: list[str]) -> list[dict[str, Any]]:
    """Makes the directories that are always the instance's."""
    for name in ALWAYS:
        os.makedirs(layout[f"ml/{name}"], exist_ok=True)
    seen = [(layout["run"], RUN_VIEW, False)]
    seen += [(layout[f"ml/{name}"], f"{VIEW}/{name}", False) for name in sorted(os.listdir(layout["ml"]))]
    seen += [(layout.host(path), path, True) for path in sorted(protected)]
    seen += [(path, path, True) for path in spec.visible]
    seen += [(resolve(mount), path, not mount.writable) for path, mount in spec.mounts.items()]
    return [
        {"Type": "bind", "Source": source, "Target": target, "ReadOnly": read_only}
        for source, target, read_only in seen
    ]


def limits(spec: InstanceSpec, node: Node, runtime: Runtime) -> dict[str, Any]:
    """As the process engine: what the machine has not cannot be used up."""
    made: dict[str, Any] = {}
    if "cpu" in runtime.limits and spec.vcpus < (os.cpu_count() or 1):
        made["nano_cpus"] = int(spec.vcpus * 10**9)
    if "memory" in runtime.limits and 0 < spec.memory < machine_memory():
        # Of memory and swap together: none is swapped.
        made |= {"mem_limit": spec.memory, "memswap_limit": spec.memory}
    if "pids" in runtime.limits and node.processes:
        made["pids_limit"] = node.processes
    return made


def network(spec: InstanceSpec, node: Node) -> dict[str, Any]:
    """The host's network, where the platform listens and gangs have their addresses. A server has one of its own, so
    that all may listen on the same port, which the runtime publishes on one of this machine's."""
    names = node.hosts or {spec.hostname: LOOPBACK}
    if spec.isolated:
        return {"network_mode": "none", "extra_hosts": names}
    if spec.serves:
        return {"network_mode": "bridge", "ports": {f"{spec.port or PORT}/tcp": (LOOPBACK, None)}}
    return {"network_mode": "host", "extra_hosts": names}
