"""Compressed request bodies: clients gzip what is large and not a stream, as CloudWatch's PutMetricData allows."""

import zlib

from clary.wire.errors import ServiceError
from clary.wire.http import Headers

MAX_INFLATED = 16 << 20
GZIP_WINDOW = 16 + zlib.MAX_WBITS


def inflated(headers: Headers, body: bytes) -> bytes:
    """The body as it was before compression; `ServiceError` where it is broken or would grow too large."""
    if headers.get("content-encoding").lower() != "gzip":
        return body
    inflater = zlib.decompressobj(GZIP_WINDOW)
    try:
        content = inflater.decompress(body, MAX_INFLATED)
    except zlib.error as error:
        raise ServiceError("SerializationException", f"The body is not gzip: {error}", 400) from error
    if not inflater.eof:
        message = f"The body is cut off, or larger than {MAX_INFLATED} bytes when inflated"
        raise ServiceError("SerializationException", message, 400)
    return content
