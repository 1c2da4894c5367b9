"""What an instance is told (`spec.json`) and what it says of itself (`status.json`).

Standard library only: the agent imports this, and its start-up time is every job's start-up time.
Paths that begin with `/opt/ml` are the program's view; the agent maps them to the instance's own directory.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from clary.instance.environments.recipe import Recipe
from clary.instance.own_images.oci import OciImage

Phase = Literal["Pending", "Starting", "Pulling", "Downloading", "Running", "Uploading", "Done"]
Outcome = Literal["", "Completed", "Failed", "Stopped", "MaxRuntimeExceeded"]
INTERFACE = "{network_interface}"
"""In the text of a file of a spec: the name of the interface by which a gang's hosts reach each other. Only the machine
that an instance runs on knows it."""


@dataclass(slots=True)
class Source:
    """One file to stage in: `location` is an absolute path (linked, never written) or an http(s) URL."""

    name: str
    """Path relative to the directory that it is staged into. May not leave it."""
    location: str
    size: int = 0
    text: str = ""
    """What the file holds, where `location` is empty."""
    etag: str = ""
    """Of an object: at the same place the same bytes have the same."""

    @property
    def is_directory(self) -> bool:
        """An empty object whose key ends in a slash stands for a directory."""
        return self.name.endswith("/") and not self.size


@dataclass(slots=True)
class Pipe:
    """A channel that the program reads from named pipes, one for each epoch."""

    items: list[list[Source]]
    """What is fed, in order. What is in one list stays together: the attributes of a line of an augmented manifest."""
    gzip: bool = False
    """Whether objects are decompressed on the way."""
    recordio: bool = False
    """Whether each object becomes a record of RecordIO."""
    seed: int | None = None
    """By which the items are shuffled, in each epoch otherwise."""
    place: int = 0
    places: int = 1
    """Of the items of an epoch, in the order of that epoch, this instance gets those at `place`, `place + places` …"""


@dataclass(slots=True)
class Mount:
    """A directory of the machine that the program sees as it is: the stand-in of a file system on the network."""

    name: str
    """`fs-0123456789abcdef0`"""
    root: str
    """The absolute path that has this name."""
    directory: str
    """Path below `root`, which may not leave it."""
    writable: bool = False


@dataclass(slots=True)
class Archive:
    """A .tar.gz to unpack into a directory of the program's view, e.g. `/opt/ml/code`."""

    location: str
    into: str


@dataclass(slots=True)
class Output:
    """A directory to keep when the program is done. Empty directories give nothing."""

    name: str
    """File name of the result: `model.tar.gz`."""
    directory: str
    """`/opt/ml/model`; empty for what a process beside the program puts into its place."""
    packed: bool = True
    """As a .tar.gz; otherwise the result is the directory as it is."""
    destination: str = ""
    """The http(s) URL to which the agent PUTs the file; empty where who started the instance takes it."""


@dataclass(slots=True)
class Mirror:
    """A directory whose files are stored while the program runs, and when it is done. `mirrors.py` tells how."""

    directory: str
    """`/opt/ml/checkpoints`"""
    url: str
    """The http(s) URL of a bucket, to which forms are POSTed."""
    prefix: str
    """Of the keys: empty, or with a slash at its end."""
    fields: dict[str, str]
    """Of a form whose policy allows keys with that prefix, and no others."""


@dataclass(slots=True)
class Transform:
    """Objects that the instance's server is given, and whose answers are kept. `transform/` tells how."""

    items: list[Source]
    output: str
    """Name of the output that holds `<name of the item>.out` for each of them."""
    through: list[str] = field(default_factory=list)
    """Ids of the instances of the same machine that each answer goes through, in order; they end with this one."""
    keys: list[str] = field(default_factory=list)
    """By which each of them is told of: `bucket/key`."""
    content_type: str = ""
    accept: str = ""
    """Of the requests; empty where it is not sent."""
    gzip: bool = False
    split: str = "None"
    strategy: str = ""
    concurrency: int = 0
    payload: int | None = None
    """Megabytes; 0 is no limit. Each of the three is the server's to say where it is empty."""
    line: bool = False
    """Whether a newline ends each answer."""
    input_filter: str = "$"
    output_filter: str = "$"
    joins: bool = False
    """Whether what is kept is the input together with its answer."""
    inference_time: str = ""
    """What follows each record that is kept, after a random id; empty where neither does."""
    listed: str = ""
    """Name of the output that lists, as JSON, the key and the name of each item that has its own; empty for none."""
    timeout: float = 600.0
    """Seconds for one answer."""
    retries: int = 3
    patience: float = 600.0
    """Seconds for the server to be ready."""

    @property
    def processes(self) -> bool:
        """Whether records and answers are looked into."""
        return self.joins or bool(self.inference_time) or {self.input_filter, self.output_filter} != {"$"}


@dataclass(slots=True)
class Models:
    """Of an instance that serves many models, which come while it serves: what its manager (`models/`) is told."""

    secret: str
    """By which the platform says where a model's archive may be read."""
    most: int = 0
    """Models that are loaded at once; 0 is no limit but memory."""
    keeps: bool = True
    """Whether a model stays loaded when nobody uses it."""
    patience: float = 55.0
    """Seconds that an invocation waits for its model to be loaded."""


@dataclass(slots=True)
class InstanceSpec:
    id: str
    """Unique and safe as a file name; at most 40 characters."""
    command: list[str]
    """argv of the program; `python` is the instance's interpreter. It runs in `workdir`, in a sandbox where there is
    one."""
    environment: dict[str, str] = field(default_factory=dict)
    workdir: str = "/opt/ml"
    hostname: str = "algo-1"
    """By which the other instances of its gang reach it."""
    hosts: dict[str, str] = field(default_factory=dict)
    """Names of the instances of its gang → addresses, where those are on other machines; else its machine has some."""
    serves: bool = False
    """True for a model server: it listens on `CLARY_BIND` and is not done until stopped."""
    port: int = 0
    """Where a server listens on a TCP port of its own network instead; 0 is `CLARY_BIND`."""
    transform: Transform | None = None
    """What a server is there for: it is done once that is."""
    models: Models | None = None
    """Set where the server is one of many models."""

    files: dict[str, str] = field(default_factory=dict)
    """Text files to write: `/opt/ml/input/config/hyperparameters.json` → content, in which `INTERFACE` is replaced."""
    channels: dict[str, list[Source]] = field(default_factory=dict)
    """Directory to fill → files: `/opt/ml/input/data/train` → [...]."""
    pipes: dict[str, Pipe] = field(default_factory=dict)
    """`/opt/ml/input/data/train` → what comes out of `/opt/ml/input/data/train_0`, `train_1` …"""
    mounts: dict[str, Mount] = field(default_factory=dict)
    """`/opt/ml/input/data/train` → the directory that is seen there."""
    archives: list[Archive] = field(default_factory=list)
    requirements: list[str] = field(default_factory=list)
    """Where a requirements.txt may lie once all is staged in; the first that exists is installed, from a cached
    layer keyed by its content, before the program starts."""
    outputs: list[Output] = field(default_factory=list)
    mirrors: list[Mirror] = field(default_factory=list)
    lasting: list[str] = field(default_factory=list)
    """Directories for one that comes after this instance. Where there are any its room stays its own until it is
    released, and what was staged in is handed on too."""
    after: str = ""
    """The id of an instance that has ended, whose room and lasting directories this one takes; it is forgotten then.
    Where it is not there any more, this one starts as any other."""

    image: Recipe | None = None
    """What the program's environment is made of. It is built where there is none yet."""
    container: OciImage | None = None
    """An image of the user's own that the program comes from; then there is no `image`, and `command` is what follows
    the image's ENTRYPOINT."""
    judges: bool = False
    """Whether the program tells mistakes of the user's, `ClientError: …` in its reason, from its own: a built-in
    algorithm does."""
    interpreter: str = ""
    """Absolute path of the python that the program and layers use; its prefix is visible in the sandbox. With an
    image it is the image's."""
    visible: list[str] = field(default_factory=list)
    """Further host paths that the program may read (never write)."""
    vcpus: float = 1.0
    memory: int = 0
    """Bytes; 0 is no limit."""
    gpus: float = 0
    """Whole ones, or a share of one."""
    lodges: bool = False
    """Whether it uses what the first of its gang is promised, and is promised nothing itself. It is there for that one:
    stopped, it has completed."""
    isolated: bool = False
    """No network but a loopback of its own. Refused where there is no sandbox."""
    max_runtime: float = 0.0
    """Seconds of `Running`; 0 is no limit. Past it the program is stopped as by `stop`."""
    grace: float = 120.0
    """Seconds between SIGTERM and SIGKILL."""

    @property
    def is_called(self) -> bool:
        """Whether others than its own agent call its server."""
        return self.serves and not self.transform

    @property
    def kept(self) -> list[str]:
        """Directories whose files are kept."""
        places = [output.directory for output in self.outputs] + [mirror.directory for mirror in self.mirrors]
        return [place for place in places if place]

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> InstanceSpec:
        """Also of an instance that an earlier Clary started, which knew fewer members."""
        return cls(**{name: _READ.get(name, _as_is)(value) for name, value in json.loads(text).items()})


def _as_is(value: Any) -> Any:
    return value


def _pipe(data: dict[str, Any]) -> Pipe:
    return Pipe(**{**data, "items": [[Source(**source) for source in item] for item in data["items"]]})


def _transform(data: dict[str, Any]) -> Transform:
    return Transform(**{**data, "items": [Source(**source) for source in data["items"]]})


_READ: dict[str, Callable[[Any], Any]] = {
    "channels": lambda found: {path: [Source(**each) for each in files] for path, files in found.items()},
    "pipes": lambda found: {path: _pipe(each) for path, each in found.items()},
    "transform": lambda found: _transform(found) if found else None,
    "mounts": lambda found: {path: Mount(**each) for path, each in found.items()},
    "archives": lambda found: [Archive(**each) for each in found],
    "outputs": lambda found: [Output(**each) for each in found],
    "mirrors": lambda found: [Mirror(**each) for each in found],
    "models": lambda found: Models(**found) if found else None,
    "image": lambda found: Recipe(**found) if found else None,
    "container": lambda found: OciImage.from_dict(found) if found else None,
}
"""By member: from what JSON has of it. One that is not there has its default."""


@dataclass(slots=True)
class InstanceStatus:
    phase: Phase = "Starting"
    entered: dict[str, float] = field(default_factory=dict)
    """Phase → epoch seconds when it was entered; phases are entered in the order of `Phase`, some may be skipped."""
    outcome: Outcome = ""
    """Set with phase `Done`."""
    exit_code: int | None = None
    """Of the program; minus the signal's number where one ended it."""
    reason: str = ""
    """For `Failed`: what the user is told, at most 1,024 characters. From `/opt/ml/output/failure` where the
    program wrote it, else the last lines of its error output, else what the agent saw (a missing object …)."""
    message: str = ""
    """What the program left in `/opt/ml/output/message`: UTF-8, its first 1,024 bytes. Of a transform: a line that says
    why an object failed; the others are there all the same."""
    image: str = ""
    """What the user should know of the image: that its version cannot be had, and which one runs. Also in the log."""
    address: str = ""
    """`host:port` of the server of an instance that other machines reach, from `Running` on."""
    stored: dict[str, int] = field(default_factory=dict)
    """Names of the outputs that are at their destination → bytes."""
    lost: bool = False
    """For `Failed`: whether it is the instance that failed, and not its program: the same might run elsewhere."""
    usage: dict[str, float] = field(default_factory=dict)
    """Of an instance that serves: percentages by the names of CloudWatch's metrics, and when they were measured (`at`);
    empty until then, and where a container's runtime has the processes."""
    notices: list[str] = field(default_factory=list)
    """What the user should know: no sandbox here, no memory limit here. Also printed to the log."""

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> InstanceStatus:
        return cls(**json.loads(text))
