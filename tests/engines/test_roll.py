"""Who is counted on a machine, by many threads at once."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from clary.engines.answers import Resources
from clary.engines.roll import Roll
from clary.instance.spec import InstanceSpec

THREADS, STARTS, THERE = 4, 50, 6000


@pytest.fixture
def restless() -> Iterator[None]:
    """Threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("restless")
def test_instances_may_end_while_others_are_counted(tmp_path: Path) -> None:
    roll = Roll(tmp_path, lambda _id, _heard: None)
    there = [InstanceSpec(f"there-{number}", ["true"]) for number in range(THERE)]
    for spec in there:
        roll.enter(spec, [], oversubscribe=True)

    def come_and_go(thread: int) -> None:
        for number in range(STARTS):
            specs = [InstanceSpec(f"{thread}-{number}-{each}", ["true"]) for each in range(3)]
            for spec in specs:
                roll.enter(spec, [], oversubscribe=True)
            roll.strike(spec.id for spec in specs)

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(come_and_go, range(THREADS)))
    roll.strike(spec.id for spec in there)
    assert roll.promised() == Resources()
