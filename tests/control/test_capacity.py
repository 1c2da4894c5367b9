"""What an operator is told while the platform is up."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

from clary.control import capacity
from clary.control.house import House
from clary.engines.answers import EngineAway
from clary.engines.sockets import operator_socket
from clary.settings import Settings


class Away:
    def instances(self) -> Iterator[str]:
        raise EngineAway("ray://head:10001 cannot be reached: Connection refused")


async def test_an_engine_that_is_away_is_told_of_and_keeps_nobody_waiting(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    house = cast(House, SimpleNamespace(settings=Settings(state=state), engine=Away()))
    server = await capacity.listen(house)
    try:
        reader, writer = await asyncio.open_unix_connection(operator_socket(state))
        told = json.loads(await asyncio.wait_for(reader.read(), 10))
        writer.close()
    finally:
        server.close()
    assert "Connection refused" in told["away"]
    assert (told["places"], told["waiting"]) == ([], 0)
