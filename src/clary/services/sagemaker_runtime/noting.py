"""What an invocation leaves for metrics, whatever came of it."""

import time

from clary.routing.traffic import Invoked
from clary.services.sagemaker_runtime.invocation import Invocation


def note(invocation: Invocation) -> None:
    if invocation.sent_at is None:
        return
    call = invocation.call
    status = invocation.received.status if invocation.received else 0
    overhead = time.perf_counter() - call.began - invocation.model_seconds
    invoked = Invoked(call.scope, invocation.request["EndpointName"], invocation.pool.variant.name)
    call.house.traffic.note(invoked, status, invocation.model_seconds, overhead)
