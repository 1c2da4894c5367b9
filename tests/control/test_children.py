"""A parent that is stopped stops its children; their ends are its wakes."""

import asyncio
import time

import pytest

from clary.control.children import live_children
from clary.records.errors import HasChildren
from clary.records.record import Record, State
from clary.records.store import Records
from tests.control.brood import BROOD, CHICK, ENDED, RUNNING, SCOPE, STOPPED, STOPPING, hatch, supervise


async def reached(records: Records, record: Record, state: State) -> Record:
    for _ in range(1000):
        if (current := records.load(record.id)).state == state:
            return current
        await asyncio.sleep(0.01)
    raise AssertionError(f"{record.name} is {current.state}")


async def test_a_parent_ends_when_its_last_child_has(records: Records) -> None:
    supervisor = supervise(records)
    brood = await asyncio.to_thread(hatch, records, "brood", 20)
    assert (await reached(records, brood, ENDED)).document == {"Chicks": {"Ended": 20}}
    await supervisor.close()


async def test_stopping_a_parent_stops_its_children_and_then_it_can_be_deleted(records: Records) -> None:
    brood = records.create(BROOD, SCOPE, "brood", "arn:brood", {}, RUNNING)
    far = time.time() + 3600
    for number in range(150):
        records.create(CHICK, SCOPE, str(number), str(number), {"Rings": 0}, RUNNING, parent=brood.id, wake_at=far)
    supervisor = supervise(records)
    with pytest.raises(HasChildren):
        records.delete(brood)
    records.transition(brood, STOPPING)
    supervisor.wake(BROOD, brood.id)
    ended = await reached(records, brood, STOPPED)
    assert ended.document == {"Chicks": {"Stopped": 150}}
    assert live_children(records, ended, CHICK) == 0
    records.delete(ended)
    assert records.get(CHICK, SCOPE, "7").parent is None
    await supervisor.close()
