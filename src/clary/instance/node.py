"""What an engine tells an agent about the machine it runs on: `node.json`."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Literal

Containment = Literal["none", "plain", "memory-overlay", "overlay"]
"""How much of a sandbox this machine allows: none at all; bubblewrap without overlays; with overlays whose changes
are kept in memory; with overlays whose changes are kept in the instance's directory."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What environments of images are made with, and where they lie."""

    environments: str
    """Their directory."""
    uv: str
    """Path of uv."""
    interpreters: dict[str, str]
    """Version → path of the interpreters of this machine, Clary's own first."""
    variables: dict[str, str]
    """Of uv: where its cache and the package indexes are."""
    options: list[str]
    """Of uv, where it installs or resolves."""


OWN_INTERFACE = "eth0"
SWITCH, OWNER = "/switch", "/owner"
"""Among the namespaces of a gang, beside its hostnames: what joins them, and the user namespace that they belong to."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """A container runtime, in which the program runs in place of a sandbox. `vessel.py` tells how."""

    runner: str
    """The module that runs containers, which what agents are forked from has imported."""
    address: str
    """Where the runtime listens: `unix:///path`."""
    version: str
    """Of its API. To ask for it takes Podman half a second."""
    limits: list[str]
    """What it can limit, of `cpu`, `memory` and `pids`."""
    user: str = ""
    """As whom programs run, in place of the image's own user."""
    gpus: bool = False
    """Whether there are graphics cards to ask for."""
    absent: bool = False
    """Whether the image has to be pulled first."""
    variables: dict[str, str] = field(default_factory=dict)
    """Of the runner itself."""


@dataclass(slots=True)
class Node:
    instance: str
    """The instance's directory."""
    layers: str
    """Directory of the cached layers of installed requirements."""
    containment: Containment = "none"
    bwrap: str = ""
    """Path of bubblewrap, where there is containment."""
    run: str = ""
    """The instance's `run` directory by a name short enough for a Unix socket's address."""
    hosts: dict[str, str] = field(default_factory=dict)
    """Names of the instances of its gang, its own among them → addresses."""
    interface: str = "lo"
    """By which they reach each other: `OWN_INTERFACE` in networks of their own."""
    namespaces: dict[str, int] = field(default_factory=dict)
    """Where its gang has networks of its own: hostname → descriptor, which the agent holds, of a network namespace."""
    outward: bool = False
    """Whether a program with a network of its own reaches more than its gang."""
    doors: list[str] = field(default_factory=list)
    """`host:port` of this machine's that such a program reaches all the same: the platform's, a proxy's."""
    bind: str = ""
    """This machine's address at which servers listen, on a port of their own; empty for a Unix socket in `run`."""
    runtime: Runtime | None = None
    """Set for instances whose program runs in a container."""
    uid: int = 0
    """The user and group id that programs run as; 0 where that is the agent's own."""
    gpus: list[int] = field(default_factory=list)
    """Minor numbers of the files of the GPUs that it is given: /dev/nvidia<minor>."""
    waited_since: float = 0.0
    """Epoch seconds, when it began to wait in line; 0 where it did not."""
    processes: int = 0
    """The most processes and threads that an instance may have, where that can be limited; 0 is no limit."""
    reserve: int = 0
    """Bytes of the disk that instances may not have."""
    images: str = ""
    """Directory of the unpacked images of users' own."""
    tools: Tools = Tools("", "", {}, {}, [])
    environment: dict[str, str] = field(default_factory=dict)
    """Variables of the machine that every program needs, such as where certificates and package indexes are."""
    pip_configuration: str = ""
    """The configuration file of the machine's pip, where there is one."""
    visible: list[str] = field(default_factory=list)
    """Host paths that every program may read."""
    closed: list[str] = field(default_factory=list)
    """Files and directories of the system's that no program may read, though Clary's user may."""
    refusal: str = ""
    """Why no instance may run on this machine, where that is so."""
    notices: list[str] = field(default_factory=list)
    """What the user of the instance should know about this machine."""

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Node:
        """Also of an instance that an earlier Clary started, which knew fewer members."""
        data = json.loads(text)
        runtime = Runtime(**data["runtime"]) if data.get("runtime") else None
        return cls(**{**data, "tools": Tools(**data["tools"]), "runtime": runtime})


@dataclass(slots=True)
class View:
    """What of the host bubblewrap itself gets to see. Real paths."""

    own: list[str] = field(default_factory=list)
    """Files of root's below these are the program's."""
    shared: list[str] = field(default_factory=list)
    """These are seen as they are."""
    links: list[str] = field(default_factory=list)
    """Symbolic links of the root directory."""
