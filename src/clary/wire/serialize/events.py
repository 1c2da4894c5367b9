"""Results that are event streams: an async iterator of events → framed messages.

    {"PayloadPart": {"Bytes": b"…"}}      ─▶ :message-type event,     :event-type PayloadPart
    ServiceError("ModelStreamError", …)   ─▶ :message-type exception, :exception-type ModelStreamError

A handler's iterator ends the stream with an error by raising it.
"""

from collections.abc import AsyncIterator
from typing import Any

from botocore.model import StructureShape

from clary.wire.errors import ServiceError
from clary.wire.eventstream import HeaderValue, encode_message
from clary.wire.models import Protocol
from clary.wire.serialize.json import write_document
from clary.wire.serialize.xml import xml_writers

EVENT_STREAM_TYPE = "application/vnd.amazon.eventstream"
CONTENT_TYPES = {"json": "application/json", "rest-json": "application/json", "rest-xml": "text/xml"}


async def encode_events(
    service: str,
    protocol: Protocol,
    shape: StructureShape,
    events: AsyncIterator[dict[str, Any]],
    initial: tuple[StructureShape, dict[str, Any]] | None = None,
) -> AsyncIterator[bytes]:
    """Framed messages of one stream; `initial` is what json sends ahead: the output's other members."""
    if initial is not None:
        headers: dict[str, HeaderValue] = {":message-type": "event", ":event-type": "initial-response"}
        yield encode_message(headers, write_document(service, *initial))
    try:
        async for event in events:
            for name, value in event.items():
                if name not in shape.members:
                    raise TypeError(f"{shape.name} has no event {name!r}")
                yield encode_event(service, protocol, name, shape.members[name], value)
    except ServiceError as error:
        yield encode_error(service, protocol, shape, error)


def encode_event(service: str, protocol: Protocol, name: str, shape: StructureShape, value: dict[str, Any]) -> bytes:
    headers: dict[str, HeaderValue] = {":message-type": "event", ":event-type": name}
    for member, member_shape in shape.members.items():
        if not member_shape.serialization.get("eventpayload"):
            continue
        payload = value.get(member)
        if member_shape.type_name == "blob":
            headers[":content-type"] = "application/octet-stream"
            return encode_message(headers, payload or b"")
        headers[":content-type"] = CONTENT_TYPES[protocol]
        return encode_message(headers, _document(service, protocol, member, member_shape, payload or {}))
    headers[":content-type"] = CONTENT_TYPES[protocol]
    return encode_message(headers, _document(service, protocol, name, shape, value))


def encode_error(service: str, protocol: Protocol, shape: StructureShape, error: ServiceError) -> bytes:
    """The last message of a stream that failed: as an exception where the stream models it."""
    modelled = shape.members.get(error.code)
    if modelled is None:
        return encode_message(
            {":message-type": "error", ":error-code": error.code, ":error-message": error.message}, b""
        )
    key = "Message" if "Message" in modelled.members else "message"
    document = _document(service, protocol, error.code, modelled, {key: error.message, **error.fields})
    return encode_message(
        {
            ":message-type": "exception",
            ":exception-type": error.code,
            ":content-type": CONTENT_TYPES[protocol],
        },
        document,
    )


def _document(service: str, protocol: Protocol, name: str, shape: StructureShape, value: dict[str, Any]) -> bytes:
    if protocol != "rest-xml":
        return write_document(service, shape, value)
    out: list[str] = []
    xml_writers(service)(shape)(out, name, value)
    return "".join(out).encode()
