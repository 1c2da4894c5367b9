"""The data plane of endpoints: which variant and which replica answers an invocation.

    Router.find(scope, endpoint) → Served.choose(target variant) → Pool.send(message) → Replica → Answer

Hosting publishes an endpoint's route here; an invocation reads nothing else. All methods but `publish`, `withdraw`,
`instances` and `variants` belong to the event loop.
"""

import random
import zlib
from collections.abc import Callable
from threading import Lock
from typing import Any, NamedTuple

from clary.records.record import Scope
from clary.routing.connection import Answer
from clary.routing.demand import Demand
from clary.routing.message import Message
from clary.routing.replica import Replica
from clary.routing.routes import Route, Target, Variant
from clary.routing.server import AnswerLost, ServerDown

OnDown = Callable[[str], None]
BUSY = 8
"""Requests under way, from which on a replica leaves its models to others."""

MOST_HELD = 256 << 20
"""Bytes of the bodies of requests under way, for each replica."""
WITHDRAWN = 10_000
"""Owners of withdrawn routes that are remembered."""


class Change(NamedTuple):
    """Of a router, for the others that are to know what it knows."""

    method: str
    arguments: tuple[Any, ...]

    def apply(self, router: "Router") -> None:
        getattr(router, self.method)(*self.arguments)


class NoSuchEndpoint(Exception):
    pass


class NoSuchVariant(Exception):
    pass


class NoReplica(Exception):
    """No replica of the chosen variant can answer at the moment."""


class Full(Exception):
    """As many invocations as may be are under way for the variant."""


class Pool:
    """A variant's replicas."""

    def __init__(self, variant: Variant, replica_of: Callable[[Target], Replica], on_down: OnDown) -> None:
        self.variant = variant
        self.replicas = [replica_of(target) for target in variant.targets]
        self.incoming = [replica_of(target) for target in variant.incoming]
        self._on_down = on_down

    def admit(self, size: int) -> None:
        """Whether there is room for one more invocation, with a body of `size` bytes: raises `Full` where there is not.

        Nothing that was admitted waits for another: models see requests as they come, and who is too much is told so at
        once, rather than late.
        """
        replicas, most = self.replicas + self.incoming, self.variant.waiting
        if (
            not any(replica.outstanding < most and replica.held + size <= MOST_HELD for replica in replicas)
            and replicas
        ):
            raise Full(self.variant.name)

    async def send(self, message: Message, streaming: bool = False, container: str = "", model: str = "") -> Answer:
        """Ask the least busy replica, of those of many `model`s one that is likely to have it; one that is down is
        passed over for another. `container` as of `Replica.send`.

        Raises `NoReplica`, `AnswerLost`, `AnswerTimeout` or `AnswerTooLarge`.
        """
        for replica in self._in_order(model):
            try:
                return await replica.send(message, self.variant.timeout, streaming, container)
            except ServerDown:
                self._on_down(replica.instance_id)
            except AnswerLost:
                self._on_down(replica.instance_id)
                raise
        raise NoReplica(self.variant.name)

    def _in_order(self, model: str) -> list[Replica]:
        """The best first; during an update those of the deployment whose turn it is before those of the other."""
        if not self.incoming:
            return self._best_first(self.replicas, model)
        sides = [self._best_first(self.replicas, model), self._best_first(self.incoming, model)]
        if random.random() < self.variant.incoming_share:
            sides.reverse()
        return sides[0] + sides[1]

    def _best_first(self, replicas: list[Replica], model: str) -> list[Replica]:
        if len(replicas) < 2:
            return replicas
        if model:
            return _likely_first(replicas, model)
        if self.variant.at_random:
            return random.sample(replicas, len(replicas))
        return sorted(replicas, key=lambda replica: (replica.outstanding, random.random()))


def _likely_first(replicas: list[Replica], model: str) -> list[Replica]:
    """In an order that is the model's own and stays when others come and go, but those that are busy last."""
    return sorted(
        replicas,
        key=lambda replica: (replica.outstanding >= BUSY, zlib.crc32(f"{model} {replica.instance_id}".encode())),
    )


class Served:
    """An endpoint that has a route."""

    def __init__(self, route: Route, pools: dict[str, Pool]) -> None:
        self.route = route
        self.pools = pools
        """By the variant's name."""
        self._production = [pool for pool in pools.values() if not pool.variant.shadow]
        self._weights = [pool.variant.weight for pool in self._production]
        self.answered_anywhere = not any(variant.needs_platform for variant in route.variants)
        """Whether any process that knows the route may answer."""
        total = sum(self._weights)
        self.shadows = [
            (pool, pool.variant.weight / total) for pool in pools.values() if pool.variant.shadow and total > 0
        ]
        """Each with the share of invocations that it is sent copies of."""

    def choose(self, target_variant: str | None) -> Pool:
        """The variant that is named, or one by weight. Raises `NoSuchVariant` or `NoReplica`."""
        if target_variant is not None:
            pool = self.pools.get(target_variant)
            if pool is None or pool.variant.shadow:
                raise NoSuchVariant(target_variant)
            return pool
        if len(self._production) == 1:
            return self._production[0]
        if not any(self._weights):
            raise NoReplica(", ".join(pool.variant.name for pool in self._production))
        return random.choices(self._production, self._weights)[0]


class Router:
    def __init__(self, on_down: OnDown) -> None:
        """`on_down(instance_id)` is told of a replica that could not be reached."""
        self._served: dict[tuple[Scope, str], Served] = {}
        self._withdrawn: dict[str, None] = {}
        self._changing = Lock()
        self.followers: list[Callable[[Change], None]] = []
        """Each is told of every change by who made it, and returns when it has been heard everywhere."""
        self._on_down = on_down
        self.demand = Demand()

    def publish(self, scope: Scope, endpoint: str, route: Route) -> None:
        """Replace the endpoint's route. Replicas that stay keep their connections.

        A step that began before its endpoint was deleted may publish it once more: that is not heard.
        """
        with self._changing:
            if route.owner in self._withdrawn:
                return
            before = self._served.get((scope, endpoint))
            if before is not None and before.route == route:
                return
            self._served[scope, endpoint] = self._served_by(route, before)
        self._tell(Change("publish", (scope, endpoint, route)))
        self.demand.tell(scope, endpoint)

    def changes(self) -> list[Change]:
        """What makes a new router know what this one knows."""
        return [Change("publish", (*key, served.route)) for key, served in list(self._served.items())]

    def _tell(self, change: Change) -> None:
        for follower in self.followers:
            follower(change)

    def _served_by(self, route: Route, before: Served | None) -> Served:
        known = {
            replica.instance_id: replica
            for pool in (before.pools.values() if before else ())
            for replica in pool.replicas + pool.incoming
        }

        def replica_of(target: Target) -> Replica:
            return known.get(target.instance_id) or Replica(target)

        pools = {variant.name: Pool(variant, replica_of, self._on_down) for variant in route.variants}
        return Served(route, pools)

    def withdraw(self, scope: Scope, endpoint: str, owner: str = "") -> None:
        """No invocation that comes from now on is answered, by whatever route of that owner is still published."""
        with self._changing:
            if owner:
                self._withdrawn[owner] = None
                if len(self._withdrawn) > WITHDRAWN:
                    del self._withdrawn[next(iter(self._withdrawn))]
            served = self._served.get((scope, endpoint))
            if served is None or served.route.owner != owner:
                return
            del self._served[scope, endpoint]
        self._tell(Change("withdraw", (scope, endpoint, owner)))
        self.demand.tell(scope, endpoint)

    def instances(self, scope: Scope, endpoint: str, variant: str) -> int:
        """How many replicas answer for a variant. From any thread."""
        served = self._served.get((scope, endpoint))
        pool = served.pools.get(variant) if served is not None else None
        return len(pool.replicas) + len(pool.incoming) if pool is not None else 0

    def variants(self) -> list[tuple[Scope, str, str]]:
        """Scope, endpoint and name of each that calls may be answered for. From any thread."""
        return [
            (scope, endpoint, name)
            for (scope, endpoint), served in list(self._served.items())
            for name, pool in served.pools.items()
            if (pool.replicas or pool.incoming) and served.route.asynchronous is None
        ]

    def find(self, scope: Scope, endpoint: str) -> Served:
        """Raises `NoSuchEndpoint`."""
        served = self._served.get((scope, endpoint))
        if served is None:
            raise NoSuchEndpoint(endpoint)
        return served
