"""Errors as each protocol answers them.

json, rest-json  x-amzn-errortype: code      {"__type": code, "message": …, further members}
query            <ErrorResponse><Error><Type/><Code/><Message/>…</Error><RequestId/></ErrorResponse>
rest-xml         <Error><Code/><Message/>…<Resource/><RequestId/></Error>, as S3 does
oci              {"errors": [{"code": …, "message": …, "detail": {…}}]}, as the OCI distribution specification has it
ec2              <Response><Errors><Error><Code/><Message/></Error></Errors><RequestID/></Response>
cbor             {"__type": code, "message": …}
"""

from dataclasses import dataclass
from typing import Any

import orjson
from botocore.model import OperationModel, StructureShape

from clary.wire.errors import ServiceError
from clary.wire.http import Request, Response
from clary.wire.models import Protocol, error_shape, error_status, service_model
from clary.wire.passwords import challenge
from clary.wire.serialize.json import json_writers
from clary.wire.serialize.rest import header_members
from clary.wire.serialize.s3 import ALLOWED, REQUEST_IDS
from clary.wire.serialize.xml import DECLARATION, escape, legible, xml_writers

ERROR_NAMESPACE = "http://webservices.amazon.com/AWSFault/2005-15-09"
"""Of query errors that came before the service was known."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An error and what the model says of it."""

    error: ServiceError
    service: str | None
    shape: StructureShape | None

    @property
    def status(self) -> int:
        return self.error.status or (error_status(self.service, self.error.code) if self.service else 400)

    @property
    def sender(self) -> str:
        """Whose fault it is, in the words of the query protocol."""
        return "Sender" if self.status < 500 else "Receiver"

    @property
    def code(self) -> str:
        return str(self.shape.error_code) if self.shape else self.error.code

    @property
    def members(self) -> dict[str, Any]:
        """What its JSON document holds: the message, as the model spells that member, and the fields."""
        members = self.shape.members if self.shape else {}
        return {"Message" if "Message" in members else "message": self.error.message, **self.error.fields}


def serialize_error(
    protocol: Protocol,
    service: str | None,
    error: ServiceError,
    request: Request,
    request_id: str,
    operation: OperationModel | None = None,
) -> Response:
    """The response to a call that failed. `service` and `operation` are None where it failed before they were
    known."""
    failure = Failure(error, service, error_shape(service, error.code) if service else None)
    if protocol == "query":
        return _query_error(failure, request_id)
    if protocol == "rest-xml":
        response = _s3_error(failure, request, request_id)
        if operation is not None:
            response.headers += header_members(operation, protocol, error.answer)
        return response
    if protocol == "oci":
        response = _oci_error(failure, request, request_id)
        if operation is not None:
            response.headers += header_members(operation, protocol, error.answer)
        return response
    if protocol == "ec2":
        return _ec2_error(failure, request_id)
    if protocol == "smithy-rpc-v2-cbor":
        return _cbor_error(failure, request_id)
    return _json_error(protocol, failure, request_id)


def _json_error(protocol: Protocol, failure: Failure, request_id: str) -> Response:
    name = failure.shape.name if failure.shape else failure.error.code
    headers = [("x-amzn-requestid", request_id), ("x-amzn-errortype", name)]
    metadata = service_model(failure.service).metadata if failure.service else {}
    version = metadata.get("jsonVersion", "1.1")
    content_type = "application/json" if protocol == "rest-json" else f"application/x-amz-json-{version}"
    headers.append(("content-type", content_type))
    if "awsQueryCompatible" in metadata:
        # Its clients knew the service by query, and still look for the codes of that protocol.
        headers.append(("x-amzn-query-error", f"{failure.error.query_code or failure.code};{failure.sender}"))
    document = {"__type": name} | failure.members
    if failure.service is not None and failure.shape is not None:
        document |= json_writers(failure.service)(failure.shape)(failure.error.fields)
    return Response(failure.status, headers, orjson.dumps(document))


def _query_error(failure: Failure, request_id: str) -> Response:
    namespace = ERROR_NAMESPACE
    if failure.service is not None:
        namespace = service_model(failure.service).metadata["xmlNamespace"]
    out = [f'<ErrorResponse xmlns="{namespace}"><Error><Type>{failure.sender}</Type>']
    out.append(f"<Code>{escape(failure.code)}</Code><Message>{escape(failure.error.message)}</Message>")
    if failure.service is not None and failure.shape is not None:
        xml_writers(failure.service).members(failure.shape)(out, failure.error.fields)
    out.append(f"</Error><RequestId>{request_id}</RequestId></ErrorResponse>")
    headers = [("x-amzn-requestid", request_id), ("content-type", "text/xml")]
    return Response(failure.status, headers, "".join(out).encode())


def _s3_error(failure: Failure, request: Request, request_id: str) -> Response:
    headers = [(name, request_id) for name in REQUEST_IDS]
    if failure.status == 304:
        return Response(failure.status, headers)
    headers.append(("content-type", "application/xml"))
    if failure.status == 405:
        headers.append(("allow", ALLOWED[failure.error.fields.get("ResourceType", "OBJECT")]))
    if request.method == "HEAD":
        return Response(failure.status, headers)
    # S3's errors carry more than their shapes say: `BucketName`, `Key`, `Condition` …
    elements = {
        "Code": failure.code,
        "Message": failure.error.message,
        **failure.error.fields,
        "Resource": request.path,
        "RequestId": request_id,
        "HostId": request_id,
    }
    out = [DECLARATION, "<Error>"]
    out.extend(f"<{name}>{escape(legible(str(value)))}</{name}>" for name, value in elements.items())
    out.append("</Error>")
    return Response(failure.status, headers, "".join(out).encode())


def _oci_error(failure: Failure, request: Request, request_id: str) -> Response:
    headers = [("x-amzn-requestid", request_id), ("content-type", "application/json")]
    headers.append(("docker-distribution-api-version", "registry/2.0"))
    if failure.status == 401:
        headers.append(("www-authenticate", challenge(request)))
    detail = {"detail": failure.error.fields} if failure.error.fields else {}
    error = {"code": failure.code, "message": failure.error.message, **detail}
    return Response(failure.status, headers, orjson.dumps({"errors": [error]}))


def _ec2_error(failure: Failure, request_id: str) -> Response:
    error = f"<Error><Code>{escape(failure.code)}</Code><Message>{escape(failure.error.message)}</Message></Error>"
    body = f"{DECLARATION}<Response><Errors>{error}</Errors><RequestID>{request_id}</RequestID></Response>"
    headers = [("x-amzn-requestid", request_id), ("content-type", "text/xml")]
    return Response(failure.status, headers, body.encode())


def _cbor_error(failure: Failure, request_id: str) -> Response:
    headers = [
        ("x-amzn-requestid", request_id),
        ("smithy-protocol", "rpc-v2-cbor"),
        ("content-type", "application/cbor"),
    ]
    texts = ("__type", failure.code, "message", failure.error.message)
    return Response(failure.status, headers, b"\xa2" + b"".join(map(_cbor_text, texts)))


def _cbor_text(text: str) -> bytes:
    """RFC 8949, major type 3, with its length in four bytes."""
    data = text.encode()
    return b"\x7a" + len(data).to_bytes(4, "big") + data
