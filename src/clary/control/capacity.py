"""What no AWS call tells an operator: how much there is, what is taken of it, and who waits.

clary status ─▶ <state>/operator.sock ─▶ one JSON document     open to whoever may open the state directory
"""

import asyncio
import json
import os
from contextlib import suppress
from typing import Any

from clary.control.house import House
from clary.engines.answers import EngineAway, Place, Resources
from clary.engines.sockets import operator_socket
from clary.records.errors import NotFound

MOST_NAMES = 10


async def listen(house: House) -> asyncio.AbstractServer:
    """Answer whoever connects, for as long as the platform lives and what is returned is kept."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(OSError):
                writer.write(json.dumps(await asyncio.to_thread(report, house)).encode())
                await writer.drain()
        finally:
            writer.close()

    path = operator_socket(house.settings.state)
    with suppress(FileNotFoundError):
        os.unlink(path)
    return await asyncio.start_unix_server(answer, path)


def report(house: House) -> dict[str, Any]:
    told = {"oversubscribed": house.settings.oversubscribe, "places": [], "waiting": 0, "first": [], "away": ""}
    try:
        return {**told, **_of_engine(house)}
    except EngineAway as error:
        return {**told, "away": str(error)}


def _of_engine(house: House) -> dict[str, Any]:
    since: dict[str, float] = {}
    for instance_id in house.engine.instances():
        with suppress(KeyError):
            status = house.engine.poll(instance_id)
            if status.phase == "Pending":
                since.setdefault(instance_id.rpartition("-")[0], status.entered["Pending"])
    line = sorted(since, key=since.__getitem__)
    first = [told for owner in line[:MOST_NAMES] if (told := _named(house, owner, since[owner]))]
    return {
        "places": [_place(place) for place in house.engine.places()],
        "waiting": len(line),
        "first": first,
    }


def _named(house: House, owner: str, since: float) -> dict[str, Any] | None:
    try:
        record = house.records.load(owner)
    except NotFound:
        return None
    return {"kind": record.kind, "name": record.name, "since": since}


def _place(place: Place) -> dict[str, Any]:
    return {"name": place.name, "total": _resources(place.total), "taken": _resources(place.taken)}


def _resources(resources: Resources) -> dict[str, float]:
    return {"vcpus": resources.vcpus, "memory": resources.memory, "gpus": resources.gpus}
