"""REST responses: what travels in the status and the headers, and what is left for the body."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from botocore.model import OperationModel, Shape, StructureShape

from clary.wire.errors import ServiceError
from clary.wire.http import Response, ResponseBody
from clary.wire.models import JSON_REST, Protocol, payload_member
from clary.wire.serialize.events import EVENT_STREAM_TYPE, encode_events
from clary.wire.serialize.json import write_document
from clary.wire.serialize.s3 import HEADERS, NAMESPACE, REQUEST_IDS, STATUSES, root_element, status_of
from clary.wire.serialize.text import TextWriters, WriteText
from clary.wire.serialize.xml import DECLARATION, escape, xml_writers

REQUEST_ID_HEADERS = {"rest-json": ("x-amzn-requestid",), "rest-xml": REQUEST_IDS, "oci": ("x-amzn-requestid",)}
CONTENT_TYPES = {"rest-json": "application/json", "rest-xml": "application/xml", "oci": "application/json"}

T = TypeVar("T")

SENDABLE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


@cache
def _text_writers(_service: str) -> TextWriters:
    return TextWriters("rfc822")


@dataclass(frozen=True, slots=True)
class OutputPlan:
    """Where each member of one operation's output goes, worked out once."""

    status: int
    status_member: str | None
    """The member that is the status, where the model has one."""
    fixed_headers: tuple[tuple[str, str], ...]
    members: frozenset[str]
    headers: dict[str, tuple[str, WriteText]]
    header_maps: dict[str, str]
    """Map member → prefix of the headers that it becomes."""
    request_id_headers: tuple[str, ...]
    content_type: str
    """Empty where the body is a stream or a text, whose type is a member's or nobody's business."""
    body: Callable[[dict[str, Any]], ResponseBody]


def serialize_rest(operation: OperationModel, protocol: Protocol, result: dict[str, Any], request_id: str) -> Response:
    plan = _plan(operation, protocol)
    for name in result:
        if name not in plan.members:
            raise TypeError(f"the output of {operation.name} has no member {name!r}")
    headers = [(name, request_id) for name in plan.request_id_headers]
    headers += [*plan.fixed_headers, *_headers(plan, result)]
    body = plan.body(result)
    if plan.content_type and body:
        headers.append(("content-type", plan.content_type))
    status = status_of(result, plan.status) if plan.status_member is None else result.get(plan.status_member)
    return Response(status or plan.status, headers, body)


def header_members(operation: OperationModel, protocol: Protocol, result: dict[str, Any]) -> list[tuple[str, str]]:
    """Those members of an answer that travel in headers; the others are left out."""
    return _headers(_plan(operation, protocol), result)


def _headers(plan: OutputPlan, result: dict[str, Any]) -> list[tuple[str, str]]:
    headers = []
    for name, value in result.items():
        if value is None:
            continue
        if name in plan.headers:
            header, write = plan.headers[name]
            headers.append((header, _sendable(write(value))))
        elif name in plan.header_maps:
            prefix = plan.header_maps[name]
            headers.extend((prefix + key, _sendable(item)) for key, item in value.items())
    return headers


def _sendable(value: str) -> str:
    """What a caller may have chosen (`response-content-disposition`) must not end its header line."""
    if not SENDABLE.fullmatch(value):
        raise ServiceError("InvalidArgument", "Header value cannot be represented using ISO-8859-1.", 400)
    return value


@cache
def _plan(operation: OperationModel, protocol: Protocol) -> OutputPlan:
    shape = operation.output_shape
    text = _text_writers(operation.service_model.service_name)
    headers, header_maps = {}, {}
    status_member = None
    for member, member_shape in shape.members.items() if shape else ():
        traits = member_shape.serialization
        if traits.get("location") == "header":
            headers[member] = (traits.get("name", member), text(member_shape))
        elif traits.get("location") == "headers":
            header_maps[member] = traits.get("name", "")
        elif traits.get("location") == "statusCode":
            status_member = member
    content_type, body = _body_writer(operation, protocol)
    return OutputPlan(
        status=operation.http.get("responseCode") or _beyond_model(STATUSES, operation, 200),
        status_member=status_member,
        fixed_headers=_beyond_model(HEADERS, operation, ()),
        members=frozenset(shape.members if shape else ()),
        headers=headers,
        header_maps=header_maps,
        request_id_headers=REQUEST_ID_HEADERS[protocol],
        content_type=content_type,
        body=body,
    )


def _beyond_model(table: dict[str, T], operation: OperationModel, default: T) -> T:
    return table.get(operation.name, default) if operation.service_model.service_name == "s3" else default


BodyWriter = tuple[str, Callable[[dict[str, Any]], ResponseBody]]
"""Content type, and the function from the result to the body."""


def _body_writer(operation: OperationModel, protocol: Protocol) -> BodyWriter:
    shape = operation.output_shape
    payload = payload_member(shape)
    if payload is not None:
        return _payload_writer(operation, payload, shape.members[payload], protocol)
    unlocated = shape and [name for name, member in shape.members.items() if "location" not in member.serialization]
    if not unlocated:
        return "", lambda _: b""
    service = operation.service_model.service_name
    if protocol in JSON_REST:
        return CONTENT_TYPES[protocol], lambda result: write_document(
            service, shape, {name: result.get(name) for name in unlocated}
        )
    if operation.name == "GetBucketLocation":
        return CONTENT_TYPES[protocol], _write_location
    members = xml_writers(service).members(shape)
    root = root_element(operation.name)

    def write(result: dict[str, Any]) -> bytes:
        out = [DECLARATION, f'<{root} xmlns="{NAMESPACE}">']
        members(out, result)
        out.append(f"</{root}>")
        return "".join(out).encode()

    return CONTENT_TYPES[protocol], write


def _write_location(result: dict[str, Any]) -> bytes:
    """The one answer whose only member is the root element itself; for `us-east-1` it is empty."""
    location = escape(result.get("LocationConstraint") or "")
    return f'{DECLARATION}<LocationConstraint xmlns="{NAMESPACE}">{location}</LocationConstraint>'.encode()


def _payload_writer(operation: OperationModel, member: str, shape: Shape, protocol: Protocol) -> BodyWriter:
    service = operation.service_model.service_name
    if shape.serialization.get("eventstream"):
        return EVENT_STREAM_TYPE, lambda result: encode_events(service, protocol, shape, result[member])
    if shape.type_name == "blob":
        return "", lambda result: result.get(member, b"")
    if shape.type_name == "string":
        return "", lambda result: result.get(member, "").encode()
    if protocol in JSON_REST:
        return CONTENT_TYPES[protocol], lambda result: write_document(service, shape, result.get(member) or {})
    return CONTENT_TYPES[protocol], lambda result: _write_payload(service, member, shape, result)


def _write_payload(service: str, member: str, shape: StructureShape, result: dict[str, Any]) -> bytes:
    value = result.get(member)
    if value is None:
        return b""
    out = [DECLARATION]
    xml_writers(service)(shape)(out, shape.serialization.get("name", member), value)
    return "".join(out).encode()
