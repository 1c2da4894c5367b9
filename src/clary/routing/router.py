"""The data plane of endpoints: which variant and which replica answers an invocation.

    Router.find(scope, endpoint) → Served.choose(target variant) → Pool.send(message) → Replica → Answer

Hosting publishes an endpoint's route here; an invocation reads nothing else. All methods but `publish` and `withdraw`
belong to the event loop.
"""

import random
from collections.abc import Callable

from clary.records.record import Scope
from clary.routing.connection import Answer
from clary.routing.message import Message
from clary.routing.replica import Replica
from clary.routing.routes import Route, Variant
from clary.routing.server import AnswerLost, ServerDown

OnDown = Callable[[str], None]


class NoSuchEndpoint(Exception):
    pass


class NoSuchVariant(Exception):
    pass


class NoReplica(Exception):
    """No replica of the chosen variant can answer at the moment."""


class Pool:
    """A variant's replicas."""

    def __init__(self, variant: Variant, replicas: list[Replica], on_down: OnDown) -> None:
        self.variant = variant
        self.replicas = replicas
        self._on_down = on_down

    async def send(self, message: Message, streaming: bool = False) -> Answer:
        """Ask the least busy replica; one that is down is passed over for another.

        Raises `NoReplica`, `AnswerLost`, `AnswerTimeout` or `AnswerTooLarge`.
        """
        for replica in self._least_busy_first():
            try:
                return await replica.send(message, self.variant.timeout, streaming)
            except ServerDown:
                self._on_down(replica.instance_id)
            except AnswerLost:
                self._on_down(replica.instance_id)
                raise
        raise NoReplica(self.variant.name)

    def _least_busy_first(self) -> list[Replica]:
        if len(self.replicas) < 2:
            return self.replicas
        return sorted(self.replicas, key=lambda replica: (replica.outstanding, random.random()))


class Served:
    """An endpoint that has a route."""

    def __init__(self, route: Route, pools: dict[str, Pool]) -> None:
        self.route = route
        self.pools = pools
        """By the variant's name."""
        self._production = [pool for pool in pools.values() if not pool.variant.shadow]
        self._weights = [pool.variant.weight for pool in self._production]

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
        self._on_down = on_down

    def publish(self, scope: Scope, endpoint: str, route: Route) -> None:
        """Replace the endpoint's route. Replicas that stay keep their connections."""
        before = self._served.get((scope, endpoint))
        if before is not None and before.route == route:
            return
        known = {
            replica.instance_id: replica
            for pool in (before.pools.values() if before else ())
            for replica in pool.replicas
        }
        pools = {
            variant.name: Pool(
                variant,
                [known.get(target.instance_id) or Replica(target) for target in variant.targets],
                self._on_down,
            )
            for variant in route.variants
        }
        self._served[scope, endpoint] = Served(route, pools)

    def withdraw(self, scope: Scope, endpoint: str) -> None:
        self._served.pop((scope, endpoint), None)

    def find(self, scope: Scope, endpoint: str) -> Served:
        """Raises `NoSuchEndpoint`."""
        served = self._served.get((scope, endpoint))
        if served is None:
            raise NoSuchEndpoint(endpoint)
        return served
