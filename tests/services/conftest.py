from collections.abc import Iterator
from pathlib import Path

import pytest

from clary.app import build_house
from clary.control.house import House
from clary.settings import Settings


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """The rooms of a platform whose reconcilers the test steps by hand."""
    built = build_house(Settings(state=tmp_path / "state"))
    yield built
    for instance_id in list(built.engine.instances()):
        built.engine.release(instance_id)
