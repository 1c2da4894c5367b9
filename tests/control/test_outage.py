"""A real database goes away under the supervisor and comes back: records wait, the log says so once, then all go on."""

import asyncio
import logging
from collections.abc import Iterator

import pytest

from clary.database import open_database
from clary.records.store import Records
from tests.control.brood import ENDED, hatch, supervise
from tests.control.test_children import reached
from tests.postgres import PostgresServer, postgres

pytestmark = pytest.mark.slow


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    with postgres() as server:
        yield server


async def told(caplog: pytest.LogCaptureFixture, part: str) -> list[str]:
    """The lines with that part, once there is one."""
    for _ in range(1000):
        if found := [record.getMessage() for record in caplog.records if part in record.getMessage()]:
            return found
        await asyncio.sleep(0.01)
    raise AssertionError(f"the log does not say {part!r}")


async def test_records_go_on_when_the_database_is_back(
    server: PostgresServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    records = Records(open_database(server.url))
    supervisor = supervise(records)
    broods = [await asyncio.to_thread(hatch, records, str(number), 5) for number in range(20)]
    await asyncio.to_thread(server.stop)
    away = await told(caplog, "the database is away")
    await asyncio.sleep(1.0)
    assert len(await told(caplog, "the database is away")) == len(away) == 1
    await asyncio.to_thread(server.start)
    await told(caplog, "the database is back")
    for brood in broods:
        assert (await reached(records, brood, ENDED)).document == {"Chicks": {"Ended": 5}}
    assert not [record for record in caplog.records if record.exc_info]
    await supervisor.close()
