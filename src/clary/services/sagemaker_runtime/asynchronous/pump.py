"""Hands the requests of each asynchronous endpoint to its replicas, as they have room.

    news: a request, a route, an end of work, a hidden request that is due ─▶ room? ─▶ receive ─▶ Work, on a thread

Without replicas nothing is received: an endpoint that was scaled to none keeps its backlog until there is one again.
All of it belongs to the event loop, but for `Work`.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from sqlalchemy import Connection

from clary.control.house import House
from clary.control.trouble import passes
from clary.messages import queue as queues
from clary.messages.queue import Message
from clary.records.record import Scope
from clary.routing.replica import Replica
from clary.routing.router import Change, NoSuchEndpoint
from clary.services.sagemaker_runtime.asynchronous.api import KEPT
from clary.services.sagemaker_runtime.asynchronous.measures import keep_backlog
from clary.services.sagemaker_runtime.asynchronous.work import Work, clear_leftovers

log = logging.getLogger(__name__)

MEASURED_EVERY = 60.0
MOST_THREADS = 1000
"""As many as `MaxConcurrentInvocationsPerInstance` may ask for; they are made as they are needed."""
MOST_AT_ONCE = 10
LONGEST_HIDDEN = 2 * 3600.0
"""Seconds that a request which is under way is seen by nobody else: more than the hour that a model may take."""
PAUSE = 1.0
"""Seconds after a failure of the platform's own."""


class Pumps:
    """One for each asynchronous endpoint that has a route."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._pumps: dict[str, Pump] = {}
        """By the id of the endpoint's record, which is its queue's."""

    def start(self) -> None:
        """On the event loop, before any route is published."""
        clear_leftovers(self._house.settings.answers_dir)
        loop = asyncio.get_running_loop()

        def hear(change: Change) -> None:
            loop.call_soon_threadsafe(self._look, change)

        self._house.router.followers.append(hear)

    def _look(self, change: Change) -> None:
        scope, endpoint, *_ = change.arguments
        try:
            route = self._house.router.find(scope, endpoint).route
        except NoSuchEndpoint:
            for pump in [each for each in self._pumps.values() if (each.scope, each.endpoint) == (scope, endpoint)]:
                self._pumps.pop(pump.queue).stop()
            return
        if route.asynchronous is None:
            return
        if route.owner not in self._pumps:
            self._pumps[route.owner] = Pump(self._house, scope, endpoint, route.owner)
        self._pumps[route.owner].news.set()


class Pump:
    def __init__(self, house: House, scope: Scope, endpoint: str, queue: str) -> None:
        self.scope = scope
        self.endpoint = endpoint
        self.queue = queue
        self.news = asyncio.Event()
        self._house = house
        self._busy: Counter[str] = Counter()
        """Requests under way, by instance."""
        self._threads = ThreadPoolExecutor(MOST_THREADS, thread_name_prefix="async")
        self._works: set[asyncio.Task[None]] = set()
        self._measured_at = -MEASURED_EVERY
        self._starved = False
        self._task = asyncio.get_running_loop().create_task(self._run())

    def stop(self) -> None:
        """Receive no more; what is under way goes on."""
        self._task.cancel()
        self._threads.shutdown(wait=False)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()

        def hear() -> None:
            loop.call_soon_threadsafe(self.news.set)

        # What a platform before this one had received is nobody's work any more.
        await self._until_done(partial(queues.reveal, queue=self.queue, now=time.time()))
        with self._house.messages.arrivals.listening(self.queue, hear):
            while True:
                self.news.clear()
                try:
                    due = await self._go_on()
                except Exception as error:
                    if not passes(error):
                        log.exception("the requests of endpoint %s wait", self.endpoint)
                    due = PAUSE
                try:
                    await asyncio.wait_for(self.news.wait(), due)
                except TimeoutError:
                    continue

    async def _go_on(self) -> float:
        """Hand out what there is room for; seconds until there is something to do without news."""
        messages = self._house.messages
        while room := self._room():
            found = await asyncio.to_thread(messages.receive, self.queue, min(room, MOST_AT_ONCE), LONGEST_HIDDEN, KEPT)
            if not found:
                break
            for message in found:
                self._begin(message)
        await self._measure()
        wait = self._measured_at + MEASURED_EVERY - time.monotonic()
        if self._room():
            due = await asyncio.to_thread(messages.view, partial(queues.next_visible, queue=self.queue))
            wait = wait if due is None else min(wait, due - time.time())
        return max(0.0, wait)

    def _replicas(self) -> list[tuple[Replica, str]]:
        """Those that may be asked, each with its variant."""
        try:
            served = self._house.router.find(self.scope, self.endpoint)
        except NoSuchEndpoint:
            return []
        pools = [pool for pool in served.pools.values() if not pool.variant.shadow and pool.variant.weight > 0]
        return [(replica, pool.variant.name) for pool in pools for replica in pool.replicas + pool.incoming]

    def _room(self) -> int:
        try:
            limit = self._house.router.find(self.scope, self.endpoint).route.asynchronous or 0
        except NoSuchEndpoint:
            return 0
        return sum(max(0, limit - self._busy[replica.instance_id]) for replica, _ in self._replicas())

    def _begin(self, message: Message) -> None:
        """With the least busy replica: there was room a moment ago, and a replica that has left since is replaced."""
        replicas = self._replicas()
        if not replicas:
            task = self._give_back(message)
        else:
            replica, variant = min(replicas, key=lambda each: self._busy[each[0].instance_id])
            self._busy[replica.instance_id] += 1
            task = self._work(message, replica, variant)
        work = asyncio.get_running_loop().create_task(task)
        self._works.add(work)
        work.add_done_callback(self._works.discard)

    async def _work(self, message: Message, replica: Replica, variant: str) -> None:
        addresses = [container.address for container in replica.containers]
        try:
            work = Work(self._house, self.scope, self.queue, message, variant)
            await asyncio.get_running_loop().run_in_executor(self._threads, work.do, addresses)
        except Exception as error:
            if not passes(error):
                log.exception("asynchronous invocation %s of %s is tried again", message.id, self.endpoint)
            await self._give_back(message)
        finally:
            self._busy[replica.instance_id] -= 1
            self.news.set()

    async def _give_back(self, message: Message) -> None:
        """Have it seen again soon."""
        until = time.time() + PAUSE
        await self._until_done(partial(queues.hide, queue=self.queue, receipt=message.receipt, until=until, now=0.0))

    async def _until_done(self, change: Callable[[Connection], object]) -> None:
        while True:
            try:
                await asyncio.to_thread(self._house.messages.change, change)
                return
            except Exception as error:
                if not passes(error):
                    raise
                await asyncio.sleep(PAUSE)

    async def _measure(self) -> None:
        """Once a minute, and at once when requests come to wait without a replica: that is what scaling starts from."""
        instances, now = len(self._replicas()), time.monotonic()
        is_due = now - self._measured_at >= MEASURED_EVERY
        self._starved = self._starved and not instances
        if not is_due and (instances or self._starved):
            return
        view = self._house.messages.view
        size, oldest = await asyncio.to_thread(view, partial(queues.backlog, queue=self.queue))
        if not is_due and not size:
            return
        self._starved, self._measured_at = size > 0 and not instances, now
        age = time.time() - oldest if oldest is not None else 0.0
        await asyncio.to_thread(keep_backlog, self._house, self.scope, self.endpoint, size, age, instances)
