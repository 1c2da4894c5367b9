"""Results out: the plain dict that a handler answers → an HTTP response in the protocol of the call.

    serialize(operation, protocol, result, request_id)        ─▶ rpc / rest ─▶ Response
    serialize_error(protocol, service, error, request, id)    ─▶ Response, however early the error came

A member that is None is left out; one that the model does not know is a handler's mistake and raises
`TypeError`.
"""

from typing import Any

from botocore.model import OperationModel

from clary.wire.http import Response
from clary.wire.models import Protocol
from clary.wire.serialize.errors import serialize_error
from clary.wire.serialize.rest import serialize_rest
from clary.wire.serialize.rpc import serialize_json, serialize_query

__all__ = ["serialize", "serialize_error"]


def serialize(
    operation: OperationModel, protocol: Protocol, result: dict[str, Any] | None, request_id: str
) -> Response:
    """The response to a call that went well. Timestamps may be epoch seconds or `datetime`."""
    if protocol == "json":
        return serialize_json(operation, result or {}, request_id)
    if protocol == "query":
        return serialize_query(operation, result or {}, request_id)
    return serialize_rest(operation, protocol, {} if result is None else result, request_id)
