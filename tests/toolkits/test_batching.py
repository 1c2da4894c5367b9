"""Invocations that wait together and are answered by one prediction."""

import asyncio
import threading

import pytest

from clary.toolkits.http import Request, Response
from clary.toolkits.models import OneModel


class Doubling:
    """Doubles numbers; a batch with one that is none is refused as a whole."""

    batches = True

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.begin = threading.Event()

    def load(self, _directory: str) -> None:
        self.begin.wait(5)

    def invoke(self, request: Request) -> Response:
        self.sizes.append(1)
        return Response(str(2 * int(request.body)))

    def invoke_many(self, requests: list[Request]) -> list[Response]:
        self.sizes.append(len(requests))
        return [Response(str(2 * int(request.body))) for request in requests]

    def execution_parameters(self) -> Response:
        return Response("{}")


async def answers(service: Doubling, bodies: list[bytes]) -> list[tuple[int, bytes]]:
    """Of requests that all wait when the model is loaded."""

    def load(directory: str) -> Doubling:
        service.load(directory)
        return service

    model = OneModel(load, "", failed=lambda: None)
    loop = asyncio.get_running_loop()
    waiting = [loop.create_future() for _ in bodies]
    for body, answered in zip(bodies, waiting, strict=True):
        model.handle(Request("POST", "/invocations", {}, body), answered.set_result)
    service.begin.set()
    responses: list[Response] = [await asyncio.wait_for(answered, 5) for answered in waiting]
    return [(response.status, response.body) for response in responses]


async def test_as_many_as_are_asked_for_are_predicted_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAGEMAKER_TS_BATCH_SIZE", "4")
    monkeypatch.setenv("SAGEMAKER_TS_MAX_BATCH_DELAY", "20")
    service = Doubling()
    assert await answers(service, [b"%d" % number for number in range(6)]) == [
        (200, b"%d" % (2 * number)) for number in range(6)
    ]
    assert service.sizes == [4, 2]


async def test_one_that_cannot_be_predicted_spoils_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAGEMAKER_TS_BATCH_SIZE", "3")
    service = Doubling()
    good, bad, other = await answers(service, [b"1", b"no number", b"3"])
    assert (good, other) == ((200, b"2"), (200, b"6"))
    assert bad[0] == 500


async def test_nothing_is_gathered_unless_asked_for() -> None:
    service = Doubling()
    await answers(service, [b"1", b"2"])
    assert service.sizes == [1, 1]
