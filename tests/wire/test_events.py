"""Event streams, read by botocore; and the framing, both ways."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from botocore.awsrequest import HeadersDict
from botocore.eventstream import EventStreamBuffer
from botocore.exceptions import EventStreamError
from botocore.parsers import create_parser
from hypothesis import given
from hypothesis import strategies as st

from clary.wire.errors import ServiceError
from clary.wire.eventstream import BrokenFrame, HeaderValue, decode_message, encode_message
from clary.wire.models import Protocol, service_model
from clary.wire.serialize import serialize

HEADERS = st.dictionaries(
    st.text(min_size=1, max_size=20),
    st.one_of(st.booleans(), st.integers(-(2**63), 2**63 - 1), st.binary(max_size=99), st.text(max_size=99)),
    max_size=4,
)


class Raw:
    """What botocore's `EventStream` reads from."""

    def __init__(self, chunks: list[bytes]) -> None:
        self.chunks = chunks

    def stream(self) -> Iterator[bytes]:
        yield from self.chunks

    def close(self) -> None:
        pass


async def events_of(*events: dict[str, Any], error: ServiceError | None = None) -> AsyncIterator[dict[str, Any]]:
    for event in events:
        yield event
    if error is not None:
        raise error


def read(service: str, protocol: Protocol, name: str, result: dict[str, Any]) -> dict[str, Any]:
    operation = service_model(service).operation_model(name)
    response = serialize(operation, protocol, result, "request-1")
    assert ("content-type", "application/vnd.amazon.eventstream") in response.headers
    body = response.body
    assert isinstance(body, AsyncIterator)

    async def collect() -> list[bytes]:
        return [chunk async for chunk in body]

    answer = {
        "headers": HeadersDict(response.headers),
        "status_code": response.status,
        "body": Raw(asyncio.run(collect())),
        "context": {"operation_name": name},
    }
    parsed: dict[str, Any] = create_parser(protocol).parse(answer, operation.output_shape)
    return parsed


def test_an_endpoint_answers_in_parts() -> None:
    parts = [{"PayloadPart": {"Bytes": b"one "}}, {"PayloadPart": {"Bytes": b"\x00two"}}]
    parsed = read(
        "sagemaker-runtime",
        "rest-json",
        "InvokeEndpointWithResponseStream",
        {"Body": events_of(*parts), "ContentType": "text/plain"},
    )
    assert parsed["ContentType"] == "text/plain"
    assert list(parsed["Body"]) == parts


@pytest.mark.parametrize("code", ["ModelStreamError", "ThrottlingException"])
def test_a_stream_ends_with_the_error_that_its_iterator_raises(code: str) -> None:
    error = ServiceError(code, "the container went away")
    parsed = read(
        "sagemaker-runtime",
        "rest-json",
        "InvokeEndpointWithResponseStream",
        {"Body": events_of({"PayloadPart": {"Bytes": b"one"}}, error=error)},
    )
    read_parts = iter(parsed["Body"])
    assert next(read_parts) == {"PayloadPart": {"Bytes": b"one"}}
    with pytest.raises(EventStreamError) as caught:
        next(read_parts)
    assert caught.value.response["Error"] == {"Code": code, "Message": "the container went away"}


def test_json_sends_the_other_members_ahead() -> None:
    update = {"sessionUpdate": {"sessionResults": [{"message": "hello", "timestamp": 1}]}}
    parsed = read("logs", "json", "StartLiveTail", {"responseStream": events_of(update)})
    assert list(parsed["responseStream"]) == [update]


def test_s3_sends_its_events_as_xml() -> None:
    events: list[dict[str, Any]] = [
        {"Records": {"Payload": b"a,b\n"}},
        {"Stats": {"Details": {"BytesScanned": 4}}},
        {"End": {}},
    ]
    parsed = read("s3", "rest-xml", "SelectObjectContent", {"Payload": events_of(*events)})
    assert list(parsed["Payload"]) == events


@given(HEADERS, st.binary(max_size=200))
def test_botocore_reads_what_is_framed(headers: dict[str, HeaderValue], payload: bytes) -> None:
    buffer = EventStreamBuffer()
    buffer.add_data(encode_message(headers, payload))
    message = next(buffer)
    assert (message.headers, message.payload) == (headers, payload)


@given(HEADERS, st.binary(max_size=200), st.binary(max_size=20))
def test_a_frame_is_read_back_and_what_follows_is_left(
    headers: dict[str, HeaderValue], payload: bytes, rest: bytes
) -> None:
    frame = encode_message(headers, payload)
    assert decode_message(frame + rest) == (headers, payload, len(frame))
    assert decode_message(frame[:-1]) is None


@given(HEADERS, st.binary(max_size=50), st.data())
def test_a_changed_byte_is_noticed(headers: dict[str, HeaderValue], payload: bytes, data: st.DataObject) -> None:
    frame = bytearray(encode_message(headers, payload))
    at = data.draw(st.integers(0, len(frame) - 1))
    frame[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(BrokenFrame):
        decode_message(bytes(frame))
