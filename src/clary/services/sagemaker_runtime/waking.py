"""A call to a serverless variant that has no instance: it asks for one, and waits until there is."""

import asyncio
import time

from clary.services.sagemaker.hosting.kinds import ENDPOINT
from clary.services.sagemaker_runtime.choosing import choose
from clary.services.sagemaker_runtime.invocation import Invocation
from clary.wire.errors import ServiceError


async def wake(invocation: Invocation) -> None:
    pool = invocation.pool
    if pool.variant.concurrency is None or pool.replicas or pool.incoming:
        return
    call, timeout = invocation.call, pool.variant.timeout
    began = time.perf_counter()
    try:
        async with asyncio.timeout(timeout):
            await _woken(invocation)
            invocation.waited = time.perf_counter() - began
    except TimeoutError:
        endpoint = invocation.request["EndpointName"]
        message = (
            f"No instance of variant {pool.variant.name} of endpoint {endpoint} was ready within {timeout:.0f} s. See "
            f"the log group /aws/sagemaker/Endpoints/{endpoint} in account {call.scope.account} for more information."
        )
        raise ServiceError("ServiceUnavailable", message, 503) from None


async def _woken(invocation: Invocation) -> None:
    call = invocation.call
    while True:
        # Before the route is looked at: a change in between is not missed.
        changed = call.house.router.demand.changed(call.scope, invocation.request["EndpointName"])
        await choose(invocation)
        if invocation.pool.replicas or invocation.pool.incoming:
            return
        call.house.supervisor.wake(ENDPOINT, invocation.served.route.owner)
        await changed
