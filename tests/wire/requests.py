"""Requests as the server makes them, for tests that have no server."""

from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from botocore.awsrequest import create_request_object, prepare_request_dict
from botocore.model import OperationModel
from botocore.serialize import create_serializer

from clary.wire.http import Headers, Request
from clary.wire.models import Protocol, service_model


def default_protocol(service: str) -> Protocol:
    """The protocol that today's botocore speaks to a service."""
    protocol: Protocol = service_model(service).resolved_protocol
    return protocol


class BytesBody:
    """A body that has arrived."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self.content

    async def read(self, limit: int) -> bytes:
        assert len(self.content) <= limit
        return self.content


def request(method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Request:
    return Request(method, target, Headers((headers or {}).items()), BytesBody(body))


def from_client(operation: OperationModel, protocol: str, params: dict[str, Any]) -> tuple[Request, bytes]:
    """The request and body that botocore sends for `params`."""
    serialized = create_serializer(protocol, include_validation=False).serialize_to_request(params, operation)
    prepare_request_dict(serialized, endpoint_url="http://127.0.0.1:7373", context={})
    prepared = create_request_object(serialized).prepare()
    parts = urlsplit(prepared.url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    headers = [
        (name, value.decode("latin-1") if isinstance(value, bytes) else value)
        for name, value in prepared.headers.items()
    ]
    body = prepared.body or b""
    if isinstance(body, str):
        body = body.encode()
    return request(prepared.method, target, dict(headers), body), body
