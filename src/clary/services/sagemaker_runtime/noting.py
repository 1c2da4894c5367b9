"""What an invocation leaves for metrics, whatever came of it."""

import json
import time

from clary.instance.models.headers import FIGURES
from clary.routing.traffic import Invoked
from clary.services.sagemaker_runtime.aiming import MODEL
from clary.services.sagemaker_runtime.invocation import Invocation


def note(invocation: Invocation) -> None:
    if invocation.sent_at is None:
        return
    call = invocation.call
    status = invocation.received.status if invocation.received else 0
    overhead = time.perf_counter() - call.began - invocation.model_seconds
    invoked = Invoked(call.scope, invocation.request["EndpointName"], invocation.pool.variant.name)
    count = call.house.traffic.note(invoked, status, invocation.model_seconds, overhead)
    if MODEL in invocation.request and invocation.received and FIGURES in invocation.received.headers:
        count.loading.add(json.loads(invocation.received.headers[FIGURES]))
