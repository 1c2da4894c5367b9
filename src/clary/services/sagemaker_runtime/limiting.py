"""How many invocations of a serverless variant there may be at once, those that wait for its instance included."""

from collections.abc import Iterator
from contextlib import contextmanager

from clary.services.sagemaker_runtime.invocation import Invocation
from clary.wire.errors import ServiceError


@contextmanager
def limited(invocation: Invocation) -> Iterator[None]:
    variant = invocation.pool.variant
    if variant.concurrency is None:
        yield
        return
    demand = invocation.call.house.router.demand
    key = (invocation.call.scope, invocation.request["EndpointName"], variant.name)
    if not demand.enter(key, variant.concurrency):
        raise ServiceError("ThrottlingException", "Rate exceeded", 429)
    try:
        yield
    finally:
        demand.leave(key)
