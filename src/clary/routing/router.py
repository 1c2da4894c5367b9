"""The data plane of endpoints: which variant and which replica answers an invocation.

Hosting publishes an endpoint's variants and their healthy replicas here; an invocation reads nothing else. All
methods but `publish` and `withdraw` belong to the event loop.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from clary.records.record import Scope
from clary.routing.connection import Answer
from clary.routing.replica import AnswerLost, Replica, ReplicaDown

ANSWER_TIMEOUT = 60.0
"""Seconds that a model has for one answer, as AWS documents for InvokeEndpoint."""


class NoSuchEndpoint(Exception):
    pass


class NoSuchVariant(Exception):
    pass


class NoReplica(Exception):
    """No replica of the chosen variant can answer at the moment."""


@dataclass(slots=True)
class Variant:
    name: str
    weight: float
    replicas: list[Replica] = field(default_factory=list)


@dataclass(slots=True)
class Target:
    """A healthy replica, as hosting knows it."""

    instance_id: str
    address: str


class Router:
    def __init__(self, on_down: Callable[[str], None]) -> None:
        """`on_down(instance_id)` is told of a replica that could not be reached."""
        self._routes: dict[tuple[Scope, str], list[Variant]] = {}
        self._on_down = on_down

    def publish(self, scope: Scope, endpoint: str, variants: list[tuple[str, float, list[Target]]]) -> None:
        """Replace the endpoint's routes: `(variant, weight, targets)`. Replicas that stay keep their connections."""
        known = {
            replica.instance_id: replica
            for variant in self._routes.get((scope, endpoint), [])
            for replica in variant.replicas
        }
        self._routes[scope, endpoint] = [
            Variant(
                name,
                weight,
                [known.get(target.instance_id) or Replica(target.instance_id, target.address) for target in targets],
            )
            for name, weight, targets in variants
        ]

    def withdraw(self, scope: Scope, endpoint: str) -> None:
        self._routes.pop((scope, endpoint), None)

    async def invoke(
        self, scope: Scope, endpoint: str, target_variant: str | None, request: bytes, streaming: bool = False
    ) -> tuple[str, Answer]:
        """Send the request to a replica; returns the variant that answered, and its answer.

        The least busy replica is asked; one that is down is passed over for another of the same variant. Raises
        `NoSuchEndpoint`, `NoSuchVariant`, `NoReplica`, `AnswerLost` or `AnswerTimeout`.
        """
        variant = self._choose(scope, endpoint, target_variant)
        for replica in sorted(variant.replicas, key=lambda replica: (replica.outstanding, random.random())):
            try:
                return variant.name, await replica.send(request, ANSWER_TIMEOUT, streaming)
            except ReplicaDown:
                self._on_down(replica.instance_id)
            except AnswerLost:
                self._on_down(replica.instance_id)
                raise
        raise NoReplica(variant.name)

    def _choose(self, scope: Scope, endpoint: str, target_variant: str | None) -> Variant:
        variants = self._routes.get((scope, endpoint))
        if variants is None:
            raise NoSuchEndpoint(endpoint)
        if target_variant is not None:
            for variant in variants:
                if variant.name == target_variant:
                    return variant
            raise NoSuchVariant(target_variant)
        if len(variants) == 1:
            return variants[0]
        weights = [variant.weight for variant in variants]
        if not any(weights):
            raise NoReplica(endpoint)
        return random.choices(variants, weights)[0]
