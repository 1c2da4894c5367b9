"""What an invocation of one endpoint needs to know: published by hosting, read by every process that answers.

    Route ─ Variant (a production variant, or a shadow of one) ─ Target (a healthy replica) ─ Container (an address)

All of it are plain values, which another process can be sent. A field that is new has a default: who publishes does not
have to know it.
"""

from dataclasses import dataclass
from typing import Any

ANSWER_TIMEOUT = 60.0
"""Seconds that a model has for one answer, as AWS documents for InvokeEndpoint."""


@dataclass(frozen=True, slots=True)
class Container:
    address: str
    """`unix:/path` or `host:port`."""
    hostname: str = ""
    """The container's `ContainerHostname`, by which it is told from the others of its model; empty for one alone."""
    models: str = ""
    """Of a container that serves many models: the S3 URI below which their archives lie."""


@dataclass(frozen=True, slots=True)
class Target:
    """A healthy replica."""

    instance_id: str
    containers: tuple[Container, ...]
    """In the order of the model's `Containers`."""


@dataclass(frozen=True, slots=True)
class Variant:
    name: str
    weight: float = 1.0
    targets: tuple[Target, ...] = ()
    shadow: bool = False
    """Whether it is sent copies of requests, of which nobody sees the answer. Its weight against that of the production
    variants is the share that is copied."""
    concurrency: int | None = None
    """The most invocations at once, over all gateways (`MaxConcurrency` of a serverless variant); None of others. Calls
    of a variant that has it wait for a replica where there is none."""
    waiting: int = 1000
    """The most invocations under way at once for each replica, in one process; the next is refused."""
    direct: bool = False
    """Whether a call says which container answers it; otherwise each container's answer is the next one's request."""
    at_random: bool = False
    """Whether any replica is asked, and not the least busy one."""
    hosts_components: bool = False
    """Whether it has no replicas of its own: each of its inference components has a route."""
    timeout: float = ANSWER_TIMEOUT
    """Seconds that each container has for its answer, and for each next part of one that is streamed."""
    incoming: tuple[Target, ...] = ()
    """Replicas of the deployment that an update takes in, while the others are of the one that it takes out."""
    incoming_share: float = 0.0
    """Which share of the variant's invocations they answer."""

    @property
    def needs_platform(self) -> bool:
        """Whether a route is not enough to answer: what is under way in all processes is counted, a component has a
        route of its own, or an archive is to be found."""
        targets = self.targets or self.incoming
        many = any(container.models for container in targets[0].containers) if targets else False
        return self.concurrency is not None or self.hosts_components or many


@dataclass(frozen=True, slots=True)
class Route:
    variants: tuple[Variant, ...]
    owner: str = ""
    """The id of the endpoint's record: once withdrawn, the routes of that owner are not taken again."""
    asynchronous: int | None = None
    """Of an asynchronous endpoint, which only its queue may invoke: how many of its requests a replica has at once."""
    capture: dict[str, Any] | None = None
    """The endpoint's `DataCaptureConfig`, where capture is on."""
