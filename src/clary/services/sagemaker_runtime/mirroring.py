"""Copies of invocations for shadow variants: the invocation neither waits for them nor fails with them.

What a shadow answers is dropped; only its metrics are kept. One that does not keep up is sent less, not queued for.
"""

import asyncio
import random
import time

from clary.routing.connection import AnswerTooLarge
from clary.routing.message import Message
from clary.routing.router import NoReplica, Pool
from clary.routing.server import AnswerLost, AnswerTimeout
from clary.routing.traffic import Invoked
from clary.services.sagemaker_runtime.invocation import Invocation
from clary.services.sagemaker_runtime.sending import message_of

MOST_UNDER_WAY = 64
"""Copies that a shadow has not answered yet, in this process; those above are not made."""

_under_way: set[asyncio.Task[None]] = set()
"""Tasks are kept here until they are done: the event loop alone would let them go."""


def mirror(invocation: Invocation) -> None:
    for pool, share in invocation.served.shadows:
        outstanding = sum(replica.outstanding for replica in pool.replicas + pool.incoming)
        if random.random() < share and outstanding < MOST_UNDER_WAY:
            task = asyncio.get_running_loop().create_task(_send(invocation, pool, message_of(invocation)))
            _under_way.add(task)
            task.add_done_callback(_under_way.discard)


async def _send(invocation: Invocation, pool: Pool, message: Message) -> None:
    began, status = time.perf_counter(), 0
    try:
        status = (await pool.send(message)).status
    except NoReplica:
        return
    except (AnswerLost, AnswerTimeout, AnswerTooLarge):
        pass
    invoked = Invoked(invocation.call.scope, invocation.request["EndpointName"], pool.variant.name)
    invocation.call.house.traffic.note(invoked, status, time.perf_counter() - began, 0.0)
