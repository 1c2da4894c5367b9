"""Invocations of an endpoint that the router has not heard of: what its record says decides."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from clary.control.call import Call
from clary.database import open_database
from clary.records.record import Scope, State
from clary.records.store import Records
from clary.routing.router import Router
from clary.routing.traffic import Traffic
from clary.services.sagemaker.hosting.kinds import CREATING, DELETING, ENDPOINT, IN_SERVICE, UPDATING
from clary.services.sagemaker_runtime.api import invoke_endpoint
from clary.wire.errors import ServiceError

SCOPE = Scope("123456789012", "us-east-1")


@pytest.fixture
def call(tmp_path: Path) -> Call:
    records = Records(open_database(f"sqlite:///{tmp_path / 'clary.db'}"))
    house: Any = SimpleNamespace(records=records, router=Router(on_down=lambda _: None), traffic=Traffic())
    origin: Any = None  # is asked by policies alone
    return Call(house, SCOPE, principal="", access_key="", request_id="", endpoint="", origin=origin)


def bring(call: Call, *states: State) -> None:
    record = call.house.records.create(ENDPOINT, SCOPE, "e", "arn", {}, CREATING)
    for state in states:
        record = call.house.records.transition(record, state)


async def refusal(call: Call) -> tuple[str, int | None]:
    with pytest.raises(ServiceError) as refused:
        await invoke_endpoint(call, {"EndpointName": "e", "Body": b""})
    return refused.value.code, refused.value.status


@pytest.mark.asyncio
@pytest.mark.parametrize("states", [(IN_SERVICE,), (IN_SERVICE, UPDATING)])
async def test_one_in_service_is_unavailable_for_now(call: Call, states: tuple[State, ...]) -> None:
    bring(call, *states)
    assert await refusal(call) == ("ServiceUnavailable", 503)


@pytest.mark.asyncio
@pytest.mark.parametrize("states", [(), (IN_SERVICE, DELETING)])
async def test_one_that_does_not_serve_yet_or_any_more_is_not_found(call: Call, states: tuple[State, ...]) -> None:
    bring(call, *states)
    assert await refusal(call) == ("ValidationError", 400)


@pytest.mark.asyncio
async def test_one_that_nobody_created_is_not_found(call: Call) -> None:
    assert await refusal(call) == ("ValidationError", 400)
