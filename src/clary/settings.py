"""What the operator of a Clary may set, from the command line, `CLARY_*` variables or the defaults here."""

import os
import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

CAPACITY = r"(vcpus=\d+(\.\d+)?|gpus=\d+|memory=\d+(\.\d+)?(KiB|MiB|GiB|TiB)?)"
"""One item of what `engines/capacity.py` reads. Written here too, as that is imported where there is no pydantic: by
what guards an instance on a cluster's node."""

MOST_GATEWAYS = 8
"""That are begun where nobody says how many."""

FILE_SYSTEM = r"fs-[0-9a-f]{8,17}=/[^,]*"


def default_cache() -> Path:
    """As the XDG Base Directory Specification says."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "clary"


class Settings(BaseSettings):
    """Every setting of one platform; `CLARY_PORT=8000` sets `port`."""

    model_config = SettingsConfigDict(env_prefix="CLARY_")

    state: Path = Field(default_factory=lambda: Path.home() / ".clary")
    """Directory of everything that Clary keeps: database, objects, instances, keys."""

    host: str = "127.0.0.1"
    port: int = Field(default=7373, ge=0, le=65535)
    """0 takes any free port; the one taken is written to `<state>/platform.json`."""

    gateways: Literal["auto"] | Annotated[int, Field(ge=0, le=64)] = "auto"
    """Processes that answer invocations beside the platform; 0 has the platform answer them. `auto` is one for each
    four of the machine's CPUs."""

    database: str | None = None
    """SQLAlchemy URL; None is SQLite under `state`."""

    engine: str = "process"
    """Where instances run: `process` is this machine; `docker` or `docker+unix:///path` the same, with own images in
    its container runtime; `ray://HOST:10001` a Ray cluster; `module:function` one of your own."""

    advertise: str | None = Field(default=None, pattern=r"^https?://[^/?#]+/?$")
    """The URL by which instances on other machines reach the platform; port 0 stands for the one that it listens on.
    None is the address that it listens at."""

    account: str = Field(default="123456789012", pattern=r"^\d{12}$")
    region: str = "us-east-1"
    """The region that `clary env` gives to clients. A call's own region is the one it was signed for."""

    strict_roles: bool = False
    """Whether a role must be created before it can be used, as on AWS. Otherwise one that nobody created exists from
    its first use on, so that programs run with the role of the account that they were written for."""

    s3_endpoint: str | None = None
    """URL of an external S3 service to use in place of the embedded store."""
    s3_access_key: str | None = None
    s3_secret_key: str | None = None

    sandbox: Literal["auto", "require", "off"] = "auto"
    """Whether instances run in a bubblewrap sandbox: `auto` falls back, and says so, where it is refused."""

    network: Literal["auto", "own", "host"] = "auto"
    """Which instances have a network of their own, in which the machine's loopback is not: `auto` gangs and servers
    that listen on a port, `own` all, and `host` no gang but an isolated one (docs/networks.md)."""

    instance_uids: str = Field(default="2100000000:65536", pattern=r"^[1-9]\d*:[1-9]\d*$")
    """First and number of the user ids that programs run as where Clary is root: one for each instance."""

    oversubscribe: bool = True
    """Whether an instance starts at once, though this machine may not have what was promised to it and to those that
    run. Otherwise who does not fit waits in line."""

    capacity: str = ""
    """What this machine offers to instances, where that is not all that it has: `vcpus=16,memory=64GiB,gpus=1`."""

    disk_reserve: int = Field(default=1024**3, ge=0)
    """Bytes of the state directory's disk that instances may not fill: past it those that hold most are ended."""

    invocation_timeout: float = Field(default=60.0, gt=0)
    """Seconds that a model has for the answer to an invocation of an endpoint; AWS gives it 60."""

    serverless_idle: float = Field(default=300.0, gt=0)
    """Seconds without invocations after which the instance of a serverless variant is let go of."""

    invocations_waiting: int = Field(default=1000, ge=1)
    """Invocations that may be under way at once for one replica; the next is answered 503 `ServiceUnavailable`."""

    file_systems: str = ""
    """Directories of this machine that jobs know as file systems of EFS or FSx, by their ids:
    `fs-0123456789abcdef0=/srv/data,fs-…=/mnt/…`. On a cluster, the same path of every node."""

    environments: Path = Field(default_factory=lambda: default_cache() / "environments")
    """Directory of the environments of images, which all platforms of a user may share. All of it can be made again."""

    images: Path = Field(default_factory=lambda: default_cache() / "images")
    """Directory of own images, unpacked, which all platforms of a user may share. All of it can be made again."""

    @field_validator("capacity")
    @classmethod
    def _is_capacity(cls, text: str) -> str:
        if text and not all(re.fullmatch(CAPACITY, item) for item in re.split(r"\s*,\s*", text.strip())):
            raise ValueError("say vcpus=16,memory=64GiB,gpus=1, or some of these")
        return text

    @field_validator("file_systems")
    @classmethod
    def _are_file_systems(cls, text: str) -> str:
        if text and not all(re.fullmatch(FILE_SYSTEM, item) for item in text.split(",")):
            raise ValueError("say fs-0123456789abcdef0=/absolute/path, and several with commas between them")
        return text

    @property
    def file_system_paths(self) -> dict[str, str]:
        """Id → absolute path of a directory."""
        pairs = (item.partition("=") for item in self.file_systems.split(",") if item)
        return {name: path for name, _, path in pairs}

    @property
    def database_url(self) -> str:
        return self.database or f"sqlite:///{self.state / 'clary.db'}"

    @property
    def gateway_count(self) -> int:
        if self.gateways == "auto":
            return min(MOST_GATEWAYS, len(os.sched_getaffinity(0)) // 4)
        return self.gateways

    @property
    def url(self) -> str:
        """Where this machine's own clients and instances reach the platform."""
        host = "127.0.0.1" if self.host in ("", "0.0.0.0") else self.host
        return f"http://{host}:{self.port}"

    @property
    def instances_dir(self) -> Path:
        return self.state / "instances"

    @property
    def collected_dir(self) -> Path:
        """Of what instances on other machines left, while it is on its way to its place."""
        return self.state / "collected"

    @property
    def answers_dir(self) -> Path:
        """Of answers to asynchronous invocations, while they are received."""
        return self.state / "answers"

    @property
    def captures_dir(self) -> Path:
        """Of captured invocations, until the objects that they become are whole."""
        return self.state / "captures"

    @property
    def layers_dir(self) -> Path:
        return self.state / "layers"

    @property
    def objects_dir(self) -> Path:
        return self.state / "objects"

    @property
    def registry_dir(self) -> Path:
        return self.state / "registry"
