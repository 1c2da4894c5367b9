"""Which invocations an endpoint's data capture draws. What is drawn is written elsewhere: no call waits for that."""

import random
import time

from clary.routing.traffic import Captured, Invoked
from clary.services.sagemaker_runtime.invocation import Invocation
from clary.services.sagemaker_runtime.sending import CUSTOM_ATTRIBUTES


def capture(invocation: Invocation) -> None:
    """Of an answer that is streamed only the request can be captured."""
    config, answer = invocation.served.route.capture, invocation.answer
    if config is None or not answer.went_well or random.random() * 100 >= config["InitialSamplingPercentage"]:
        return
    call, request = invocation.call, invocation.request
    modes = {option["CaptureMode"] for option in config["CaptureOptions"]}
    both = "InputAndOutput" in modes
    captured = Captured(
        invoked=Invoked(call.scope, request["EndpointName"], invocation.pool.variant.name),
        config=config,
        at=time.time(),
        inference_id=request.get("InferenceId", ""),
        custom_attributes=answer.headers.get(CUSTOM_ATTRIBUTES) or request.get("CustomAttributes", ""),
        input_type=request.get("ContentType", ""),
        input=request.get("Body", b"") if both or "Input" in modes else None,
        output_type=answer.headers.get("content-type", ""),
        output=answer.body if isinstance(answer.body, bytes) and (both or "Output" in modes) else None,
    )
    if captured.input is not None or captured.output is not None:
        call.house.traffic.capture(captured)
