"""What invocations leave, by endpoint and variant, handed on in batches."""

import asyncio

import pytest

from clary.records.record import Scope
from clary.routing import traffic as traffic_module
from clary.routing.traffic import Batch, Invoked, Traffic

SEEN = Invoked(Scope("123456789012", "us-east-1"), "e", "A")


async def test_counts_are_handed_on_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traffic_module, "PERIOD", 0.02)
    batches: asyncio.Queue[Batch] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def fail(_batch: Batch) -> None:
        raise OSError("the disk is full")

    traffic = Traffic()
    traffic.listeners += [fail, lambda batch: loop.call_soon_threadsafe(batches.put_nowait, batch)]
    for status in (200, 200, 204, 400, 500, 0):
        traffic.note(SEEN, status, 0.002, 0.0001)
    traffic.note(SEEN._replace(variant="B"), 200, 0.1, 0.0)
    batch = await asyncio.wait_for(batches.get(), 5)
    assert set(batch.counts) == {SEEN, SEEN._replace(variant="B")}
    count = batch.counts[SEEN]
    assert (count.invocations, count.model_errors, count.client_errors, count.server_errors) == (6, 3, 1, 1)
    latency = count.model_latency
    assert (latency.count, latency.minimum, latency.maximum) == (6, 2000, 2000)
    assert latency.sum == pytest.approx(12_000)
    [(value, times)] = latency.values().items()
    assert times == 6
    assert value == pytest.approx(2000, rel=0.04)
    traffic.note(SEEN, 200, 0.002, 0.0001)
    assert (await asyncio.wait_for(batches.get(), 5)).counts[SEEN].invocations == 1
