"""Requests in: HTTP → the plain dict that a handler is given.

    parse(found, request, body) ─▶ json / query / rest  ─▶ {"TrainingJobName": "abalone", …}

Members that the model does not know are ignored, as AWS does. Timestamps become epoch seconds, blobs bytes. A
streaming payload is handed on unread. What cannot be read is answered with the protocol's own error.
"""

from typing import Any

from clary.wire.compression import inflated
from clary.wire.errors import ServiceError
from clary.wire.http import Body, Request
from clary.wire.identify import Identified
from clary.wire.models import Protocol
from clary.wire.parse.json import parse_json
from clary.wire.parse.query import parse_query
from clary.wire.parse.rest import parse_rest
from clary.wire.parse.unreadable import Unreadable, UnreadableArgument, UnreadableBody
from clary.wire.refusals import malformed_xml

__all__ = ["parse"]


def parse(found: Identified, request: Request, body: bytes | Body) -> dict[str, Any]:
    """The operation's parameters. `body` is the `Body` itself where `found.streams_body`, else its bytes.

    Raises `ServiceError` where the request does not follow the protocol.
    """
    try:
        if found.protocol == "json":
            return parse_json(found.operation, _whole(request, body))
        if found.protocol == "query":
            return parse_query(found.operation, _whole(request, body) or request.query.encode("latin-1"))
        return parse_rest(found, body)
    except Unreadable as error:
        raise _as_service_error(found.protocol, error) from error


def _whole(request: Request, body: bytes | Body) -> bytes:
    if not isinstance(body, bytes):
        raise TypeError("only a REST operation streams its body")
    return inflated(request.headers, body)


def _as_service_error(protocol: Protocol, error: Unreadable) -> ServiceError:
    if protocol == "query":
        return ServiceError("MalformedInput", str(error), 400)
    if protocol != "rest-xml":
        return ServiceError("SerializationException", str(error), 400)
    if isinstance(error, UnreadableArgument):
        return ServiceError("InvalidArgument", str(error), 400, ArgumentName=error.name, ArgumentValue=error.value)
    if not isinstance(error, UnreadableBody):
        return ServiceError("InvalidArgument", str(error), 400)
    return malformed_xml()
