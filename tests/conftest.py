"""The platform under test, shared by a whole session, and one of its own for tests that kill it."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvloop

from tests.platform import Platform


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Coroutines are tested on the loop that they run on."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    started = Platform(tmp_path_factory.mktemp("clary") / "state").up()
    yield started
    started.down()


@pytest.fixture
def own_platform(tmp_path: Path) -> Iterator[Platform]:
    """A platform that the test may kill and start again."""
    started = Platform(tmp_path / "state").up()
    yield started
    started.down()
