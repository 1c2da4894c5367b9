"""What an invocation leaves for metrics, whatever came of it."""

import json
import time

from clary.instance.models.headers import FIGURES
from clary.routing.traffic import Invoked
from clary.services.sagemaker_runtime.aiming import MODEL
from clary.services.sagemaker_runtime.choosing import COMPONENT_NAME
from clary.services.sagemaker_runtime.invocation import Invocation


def note(invocation: Invocation) -> None:
    call, request = invocation.call, invocation.request
    component = request.get(COMPONENT_NAME, "")
    invoked = Invoked(call.scope, request["EndpointName"], invocation.pool.variant.name, component)
    if invocation.sent_at is None:
        call.house.traffic.turn_away(invoked)
        return
    status = invocation.received.status if invocation.received else 0
    overhead = time.perf_counter() - call.began - invocation.model_seconds
    count = call.house.traffic.note(invoked, status, invocation.model_seconds, overhead)
    if invocation.waited is not None:
        count.setup.add(invocation.waited)
    if MODEL in request and invocation.received and FIGURES in invocation.received.headers:
        count.loading.add(json.loads(invocation.received.headers[FIGURES]))
