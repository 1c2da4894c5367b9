"""Requests signed by botocore, as the verifier gets to see them off the socket."""

from collections.abc import AsyncIterator
from urllib.parse import urlsplit

from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from clary.wire.credentials import Identity, TemporaryCredentials
from clary.wire.http import Headers, Request

HOST = "127.0.0.1:7373"


class WholeBody:
    """A request body that is all there."""

    def __init__(self, *chunks: bytes) -> None:
        self._chunks = chunks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            yield chunk

    async def read(self, limit: int) -> bytes:
        body = b"".join(self._chunks)
        assert len(body) <= limit
        return body


def sign(
    keys: Identity | TemporaryCredentials,
    method: str = "POST",
    target: str = "/",
    headers: dict[str, str] | None = None,
    body: bytes = b"",
    service: str = "sagemaker",
    region: str = "us-east-1",
    expires: int | None = None,
) -> Request:
    """A request to `target` (encoded as it goes over the wire), presigned where `expires` is given."""
    token = keys.session_token if isinstance(keys, TemporaryCredentials) else None
    credentials = Credentials(keys.access_key, keys.secret, token)
    request = AWSRequest(method, f"http://{HOST}{target}", data=body, headers=headers or {})
    if expires is not None:
        query = S3SigV4QueryAuth if service == "s3" else SigV4QueryAuth
        query(credentials, service, region, expires=expires).add_auth(request)
    else:
        (S3SigV4Auth if service == "s3" else SigV4Auth)(credentials, service, region).add_auth(request)
    url = urlsplit(request.url)
    sent = [("host", HOST), *((name, str(value)) for name, value in request.headers.items())]
    target = url.path + (f"?{url.query}" if url.query else "")
    return Request(method, target or "/", Headers(sent), WholeBody(body))
