"""Invocations of endpoints: the steps that each takes, in order.

refuse ─▶ choose ─▶ limit ─▶ wake ─▶ aim ─▶ admit ─▶ mirror ─▶ send ─▶ note ─▶ capture ─▶ answer

Each is a module of its own, over one `Invocation`. They run in gateways too (`clary.gateways`), where the house has no
other rooms than its router, traffic and settings; invocations of serverless variants do not.
"""

from typing import Any

from clary.control.call import Call
from clary.services.sagemaker_runtime import operation
from clary.services.sagemaker_runtime.admitting import admit
from clary.services.sagemaker_runtime.aiming import aim
from clary.services.sagemaker_runtime.answering import answer_stream, answer_whole
from clary.services.sagemaker_runtime.capturing import capture
from clary.services.sagemaker_runtime.choosing import choose
from clary.services.sagemaker_runtime.invocation import Invocation
from clary.services.sagemaker_runtime.limiting import limited
from clary.services.sagemaker_runtime.mirroring import mirror
from clary.services.sagemaker_runtime.noting import note
from clary.services.sagemaker_runtime.refusing import refuse
from clary.services.sagemaker_runtime.sending import send
from clary.services.sagemaker_runtime.waking import wake


@operation("InvokeEndpoint")
async def invoke_endpoint(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    return answer_whole(await _invoke(Invocation(call, request, streaming=False)))


@operation("InvokeEndpointWithResponseStream")
async def invoke_endpoint_with_response_stream(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    return await answer_stream(await _invoke(Invocation(call, request, streaming=True)))


async def _invoke(invocation: Invocation) -> Invocation:
    refuse(invocation)
    await choose(invocation)
    with limited(invocation):
        await wake(invocation)
        aim(invocation)
        admit(invocation)
        # No step suspends between these: what was admitted is under way before another is looked at.
        mirror(invocation)
        try:
            await send(invocation)
        finally:
            # Also of what was not answered.
            note(invocation)
    capture(invocation)
    return invocation
