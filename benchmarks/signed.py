"""The very bytes that boto3 would send for a call, signed, to be sent as often as one likes for five minutes."""

from typing import Any
from urllib.parse import urlsplit

from botocore.awsrequest import AWSPreparedRequest


class _Caught(Exception):
    def __init__(self, request: AWSPreparedRequest) -> None:
        self.request = request


def _catch(request: AWSPreparedRequest, **_: Any) -> None:
    raise _Caught(request)


def signed(client: Any, operation: str, **parameters: Any) -> bytes:
    """`operation` is boto3's method name. Nothing is sent."""
    client.meta.events.register("before-send", _catch, unique_id="catch")
    try:
        getattr(client, operation)(**parameters)
    except _Caught as caught:
        return _to_bytes(caught.request)
    finally:
        client.meta.events.unregister("before-send", unique_id="catch")
    raise AssertionError(f"{operation} was not sent")


def _to_bytes(request: AWSPreparedRequest) -> bytes:
    url = urlsplit(request.url)
    target = url.path + (f"?{url.query}" if url.query else "")
    head = [f"{request.method} {target} HTTP/1.1", f"Host: {url.netloc}"]
    for name, value in request.headers.items():
        if name in ("Expect", "host"):
            continue  # the body follows at once; the host was said
        head.append(f"{name}: {value.decode() if isinstance(value, bytes) else value}")
    body = request.body.read() if hasattr(request.body, "read") else request.body
    return "\r\n".join([*head, "", ""]).encode() + (body or b"")
