"""Where everything of one instance lies on the host, for its agent and for the engine alike.

<instances>/changes       fifo: agents write their ids here, the engine listens
<instances>/line/         who waits (`engines/tickets.py`)
<instances>/<id>/
    spec.json node.json   what it was told, of its work and of its machine
    status.json           what it says of itself
    log                   what it printed, one record a line (see `log.py`)
    agent.lock            locked for as long as the agent lives; holds its pid
    agent.err             what the agent itself, not its program, had to say
    stop wake             the wish that it stop, and a fifo that makes the agent look
    ml/                   /opt/ml of the program
    run/                  /run/clary of the program: the socket of a server
    models/               /opt/ml/models of the program, where it serves many (`models/`)
    scratch/              what the program sees as its own /tmp and HOME, and what it changed in its interpreter
    outputs/              packed directories, and links to those that are kept as they are
    address verdict.json  of a program in a container (`vessel.py`)
    feed/                 links to what its pipes are fed with, or what it transforms
    partial/              answers of objects that are not all there yet (`transform/assembly.py`)
    staged.json           which files its channels hold, for the one after it (`data/legacy.py`)
    before/               all of the instance that it came after
"""

import os
from dataclasses import dataclass

VIEW = "/opt/ml"
RUN_VIEW = "/run/clary"


@dataclass(frozen=True)
class Layout:
    root: str

    def __getitem__(self, name: str) -> str:
        """The path of `name`, one of those that the module's docstring lists, or below one of them."""
        return f"{self.root}/{name}"

    @property
    def id(self) -> str:
        return os.path.basename(self.root)

    @property
    def changes(self) -> str:
        return f"{os.path.dirname(self.root)}/changes"

    def host(self, path: str) -> str:
        """Where a path of the program's view lies on the host; paths outside `/opt/ml` are returned as they are."""
        if path != VIEW and not path.startswith(f"{VIEW}/"):
            return path
        return f"{self.root}/ml{os.path.normpath(path)[len(VIEW) :]}"

    def create(self) -> None:
        os.makedirs(self.root, mode=0o700, exist_ok=True)
        for name in ("ml", "run", "scratch", "outputs"):
            os.makedirs(self[name], exist_ok=True)
        if not os.path.exists(self["wake"]):
            os.mkfifo(self["wake"], 0o600)
