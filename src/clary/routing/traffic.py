"""What invocations leave behind for the platform: counted in memory, handed on as one batch a second.

    note(…) for each invocation ──▶ Count by endpoint and variant ──▶ once a second: every listener(batch)
    capture(…) for those drawn ───▶ what was sent and answered ─────▶ or as soon as that is large

The names and meanings are those of the metrics that AWS documents for invocations of endpoints ("Monitor Amazon
SageMaker AI with Amazon CloudWatch"); the batch is what they are written from. All belongs to the event loop.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from clary.records.record import Scope
from clary.routing.distribution import Distribution
from clary.routing.loading import Loading

log = logging.getLogger(__name__)

PERIOD = 1.0
LARGE = 1 << 20
"""Bytes captured that are handed on at once."""
MOST_CAPTURED = 32 << 20
"""Bytes that are captured in a second; what is more is dropped, so that nobody waits for it."""


class Invoked(NamedTuple):
    scope: Scope
    endpoint: str
    variant: str
    component: str = ""
    """The inference component, where one was asked."""


@dataclass(slots=True)
class Count:
    invocations: int = 0
    turned_away: int = 0
    """Invocations beside these for which there was no replica."""
    model_errors: int = 0
    """Invocations for which the model gave no answer of 2xx: refusals, failures, time-outs, lost connections."""
    client_errors: int = 0
    """Answers of the model with 4xx."""
    server_errors: int = 0
    """Answers of the model with 5xx."""
    model_latency: Distribution = field(default_factory=Distribution)
    overhead_latency: Distribution = field(default_factory=Distribution)
    loading: Loading = field(default_factory=Loading)
    """Of the containers of many models."""
    uncaptured: int = 0
    """Invocations that were drawn by data capture, and dropped."""
    setup: Distribution = field(default_factory=Distribution)
    """How long invocations waited for the instance of a serverless variant, where they did."""

    def merge(self, other: "Count") -> None:
        self.invocations += other.invocations
        self.turned_away += other.turned_away
        self.model_errors += other.model_errors
        self.client_errors += other.client_errors
        self.server_errors += other.server_errors
        self.model_latency.merge(other.model_latency)
        self.overhead_latency.merge(other.overhead_latency)
        self.loading.merge(other.loading)
        self.setup.merge(other.setup)
        self.uncaptured += other.uncaptured


class Captured(NamedTuple):
    """What is kept of an invocation that data capture has drawn."""

    invoked: Invoked
    config: dict[str, Any]
    """The `DataCaptureConfig` that it was drawn by."""
    at: float
    """Epoch seconds."""
    inference_id: str
    custom_attributes: str
    input_type: str
    input: bytes | None
    """None where it is not to be captured, as of the output."""
    output_type: str
    output: bytes | None


@dataclass(slots=True)
class Batch:
    counts: dict[Invoked, Count] = field(default_factory=dict)
    captured: list[Captured] = field(default_factory=list)
    size: int = 0
    """Bytes of what was captured."""


class Traffic:
    def __init__(self) -> None:
        self.listeners: list[Callable[[Batch], None]] = []
        """Each is called with every batch, on a worker thread, and may block on SQL or disk."""
        self._batch: Batch | None = None
        self._since = 0.0
        self._taken = 0
        """Bytes captured since then, by the loop's clock."""

    def turn_away(self, invoked: Invoked) -> None:
        """One invocation that there was no replica for."""
        self._count(invoked).turned_away += 1

    def note(self, invoked: Invoked, status: int, model_seconds: float, overhead_seconds: float) -> Count:
        """One invocation that was sent to a model. `status` is the model's, 0 where it gave no answer. What else there
        is to it goes into what is returned."""
        count = self._count(invoked)
        count.invocations += 1
        if not 200 <= status < 300:
            count.model_errors += 1
            count.client_errors += 400 <= status < 500
            count.server_errors += status >= 500
        count.model_latency.add(model_seconds)
        count.overhead_latency.add(overhead_seconds)
        return count

    def capture(self, captured: Captured) -> None:
        """One invocation that was drawn, after it was noted."""
        now, size = asyncio.get_running_loop().time(), len(captured.input or b"") + len(captured.output or b"")
        if now >= self._since + PERIOD:
            self._since, self._taken = now, 0
        batch = self._current()
        if self._taken + size > MOST_CAPTURED:
            batch.counts.setdefault(captured.invoked, Count()).uncaptured += 1
            return
        self._taken += size
        batch.captured.append(captured)
        batch.size += size
        if batch.size >= LARGE:
            self.flush()

    def _count(self, invoked: Invoked) -> Count:
        counts = self._current().counts
        count = counts.get(invoked)
        if count is None:
            count = counts[invoked] = Count()
        return count

    def _current(self) -> Batch:
        if self._batch is None:
            self._batch = Batch()
            asyncio.get_running_loop().call_later(PERIOD, self.flush)
        return self._batch

    def flush(self) -> None:
        """Hand on what there is."""
        batch, self._batch = self._batch, None
        if batch is not None and self.listeners:
            self.hand_on(batch)

    def hand_on(self, batch: Batch) -> None:
        """To the listeners, what was gathered here or by another process."""
        asyncio.get_running_loop().run_in_executor(None, self._tell, batch)

    def _tell(self, batch: Batch) -> None:
        for listener in self.listeners:
            try:
                listener(batch)
            except Exception:
                log.exception("what invocations left could not be kept, and is lost")
