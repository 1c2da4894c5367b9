"""REST requests: what travels in the path, the query and the headers, and what is left for the body."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from botocore.model import OperationModel, Shape

from clary.wire.http import Body
from clary.wire.identify import Identified
from clary.wire.models import JSON_REST, payload_member
from clary.wire.parse.json import read_document
from clary.wire.parse.text import ReadText, text_readers
from clary.wire.parse.unreadable import Unreadable, UnreadableArgument, UnreadableBody
from clary.wire.parse.xml import read_xml

LOCATED = ("uri", "querystring", "header", "headers")


@dataclass(frozen=True, slots=True)
class InputPlan:
    """Where each member of one operation's input is found, worked out once."""

    labels: tuple[tuple[str, str, ReadText], ...]
    query: dict[str, tuple[str, ReadText]]
    headers: dict[str, tuple[str, ReadText]]
    """By lower-case name."""
    header_maps: tuple[tuple[str, str], ...]
    """Prefix of names, lower case, and the map member that gathers them."""
    body: Callable[[Any], dict[str, Any]]
    """The members that the body holds."""


def parse_rest(found: Identified, body: bytes | Body) -> dict[str, Any]:
    plan = _plan(found.operation, found.protocol)
    params: dict[str, Any] = {member: read(found.labels[label]) for label, member, read in plan.labels}
    if found.query and plan.query:
        for name, value in found.query.items():
            if name in plan.query:
                member, read = plan.query[name]
                params[member] = _argument(name, read, value)
    for name, value in found.headers.items:
        entry = plan.headers.get(name)
        if entry is not None and entry[0] not in params:
            params[entry[0]] = _argument(name, entry[1], value)
        for prefix, member in plan.header_maps:
            if name.startswith(prefix):
                params.setdefault(member, {})[name[len(prefix) :]] = value
    params.update(plan.body(body))
    return params


def _argument(name: str, read: ReadText, value: str) -> Any:
    try:
        return read(value)
    except Unreadable as error:
        raise UnreadableArgument(str(error), name, value) from error


@cache
def _plan(operation: OperationModel, protocol: str) -> InputPlan:
    shape = operation.input_shape
    text = text_readers(operation.service_model.service_name)
    labels, query, headers, header_maps = [], {}, {}, []
    for member, member_shape in shape.members.items() if shape else ():
        traits = member_shape.serialization
        name = traits.get("name", member)
        if traits.get("location") == "uri":
            labels.append((name, member, text(member_shape)))
        elif traits.get("location") == "querystring":
            query[name] = (member, text(member_shape))
        elif traits.get("location") == "header":
            headers[name.lower()] = (member, text(member_shape))
        elif traits.get("location") == "headers":
            header_maps.append((name.lower(), member))
    return InputPlan(tuple(labels), query, headers, tuple(header_maps), _body_reader(operation, protocol))


def _body_reader(operation: OperationModel, protocol: str) -> Callable[[Any], dict[str, Any]]:
    shape = operation.input_shape
    payload = payload_member(shape)
    if payload is not None:
        return _payload_reader(operation, payload, shape.members[payload], protocol)
    unlocated = shape and [
        member for member in shape.members.values() if member.serialization.get("location") not in LOCATED
    ]
    if not unlocated:
        return lambda _: {}
    service = operation.service_model.service_name
    if protocol in JSON_REST:
        return lambda body: read_document(service, shape, body)
    return lambda body: read_xml(service, shape, body) if body else {}


def _payload_reader(
    operation: OperationModel, member: str, shape: Shape, protocol: str
) -> Callable[[Any], dict[str, Any]]:
    service = operation.service_model.service_name
    if shape.type_name == "blob":
        return lambda body: {member: body}
    if shape.type_name == "string":
        return lambda body: {member: _decode_text(body)} if body else {}
    if protocol in JSON_REST:
        return lambda body: {member: read_document(service, shape, body)} if body else {}
    root = shape.serialization.get("name", member)
    return lambda body: {member: read_xml(service, shape, body, root)} if body else {}


def _decode_text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise UnreadableBody("the body is not UTF-8") from error
