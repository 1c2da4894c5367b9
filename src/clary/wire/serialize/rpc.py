"""Results of the protocols that put everything into the body: json 1.0 and 1.1, and query."""

from typing import Any

from botocore.model import OperationModel

from clary.wire.http import Response
from clary.wire.serialize.events import EVENT_STREAM_TYPE, encode_events
from clary.wire.serialize.json import write_document
from clary.wire.serialize.xml import escape, xml_writers


def serialize_json(operation: OperationModel, result: dict[str, Any], request_id: str) -> Response:
    service = operation.service_model
    shape = operation.output_shape
    headers = [("x-amzn-requestid", request_id)]
    if shape is not None and shape.event_stream_name is not None:
        events = result[shape.event_stream_name]
        others = {name: value for name, value in result.items() if value is not events}
        body = encode_events(
            service.service_name,
            "json",
            shape.members[shape.event_stream_name],
            events,
            initial=(shape, others),
        )
        return Response(200, [*headers, ("content-type", EVENT_STREAM_TYPE)], body)
    headers.append(("content-type", f"application/x-amz-json-{service.metadata['jsonVersion']}"))
    return Response(200, headers, write_document(service.service_name, shape, result) if shape else b"")


def serialize_query(operation: OperationModel, result: dict[str, Any], request_id: str) -> Response:
    """XML, wrapped in the operation's name, with the request's id beside it."""
    service = operation.service_model
    name = operation.name
    out = [f'<{name}Response xmlns="{escape(service.metadata["xmlNamespace"])}">']
    if operation.output_shape is not None:
        wrapper = operation.output_shape.serialization.get("resultWrapper", f"{name}Result")
        xml_writers(service.service_name)(operation.output_shape)(out, wrapper, result)
    out.append(f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{name}Response>")
    headers = [("x-amzn-requestid", request_id), ("content-type", "text/xml")]
    return Response(200, headers, "".join(out).encode())
