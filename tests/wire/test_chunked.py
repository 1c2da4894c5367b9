"""aws-chunked bodies: boto's own encoder, signed streams made by hand, and every way to break them."""

import base64
import hmac
import io
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import sha256

import pytest
from botocore.httpchecksum import AwsChunkedWrapper, Crc32Checksum
from hypothesis import given
from hypothesis import strategies as st

from clary.wire.chunked import AwsChunkedBody
from clary.wire.credentials import KeyRing
from clary.wire.errors import ServiceError
from clary.wire.http import Body, BodyTooLarge, Headers, Request
from clary.wire.payload import guarded
from clary.wire.sigv4 import Presented, signing_key
from tests.wire.signed import WholeBody

keys = KeyRing("AKIAEXAMPLEEXAMPLEKE", "s" * 40, b"k" * 32)
TIMESTAMP = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
SEED = sha256(b"seed").hexdigest()


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def unsigned(encoded: bytes, length: int, size: int = 7, *trailers: str) -> AwsChunkedBody:
    return AwsChunkedBody(WholeBody(*pieces(encoded, size)), length, frozenset(trailers), None)


@given(st.binary(max_size=3000), st.integers(1, 1000), st.integers(1, 500))
async def test_botos_encoding_with_its_trailer(content: bytes, chunk: int, size: int) -> None:
    wrapper = AwsChunkedWrapper(
        io.BytesIO(content),
        checksum_cls=Crc32Checksum,
        checksum_name="x-amz-checksum-crc32",
        chunk_size=chunk,
    )
    body = unsigned(wrapper.read(), len(content), size, "x-amz-checksum-crc32")
    assert b"".join([part async for part in body]) == content
    expected = base64.b64encode(zlib.crc32(content).to_bytes(4, "big")).decode()
    assert body.trailers == {"x-amz-checksum-crc32": expected}


@dataclass
class SignedStream:
    """The client's side, from the S3 API Reference's description."""

    previous: str = SEED

    def sign(self, kind: str, content: str) -> str:
        scope = f"{TIMESTAMP[:8]}/us-east-1/s3/aws4_request"
        text = f"AWS4-HMAC-SHA256-{kind}\n{TIMESTAMP}\n{scope}\n{self.previous}\n{content}"
        key = signing_key(keys.root.secret, TIMESTAMP[:8], "us-east-1", "s3")
        self.previous = hmac.new(key, text.encode(), sha256).hexdigest()
        return self.previous

    def chunk(self, data: bytes) -> bytes:
        signature = self.sign("PAYLOAD", f"{sha256(b'').hexdigest()}\n{sha256(data).hexdigest()}")
        head = f"{len(data):x};chunk-signature={signature}\r\n".encode()
        return head + data + (b"\r\n" if data else b"")

    def trailer(self, name: str, value: str) -> bytes:
        signature = self.sign("TRAILER", sha256(f"{name}:{value}\n".encode()).hexdigest())
        return f"{name}:{value}\r\nx-amz-trailer-signature:{signature}\r\n".encode()


def received(encoded: bytes, length: int, trailer: str = "") -> Body:
    """Through `guarded`, as a call that announced a signed stream."""
    announced = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" + ("-TRAILER" if trailer else "")
    headers = [("x-amz-content-sha256", announced), ("x-amz-decoded-content-length", str(length))]
    if trailer:
        headers.append(("x-amz-trailer", trailer))
    request = Request("PUT", "/b/k", Headers(headers), WholeBody(*pieces(encoded, 11)))
    presented = Presented(
        keys.root.access_key, TIMESTAMP[:8], "us-east-1", "s3", ("host",), SEED, TIMESTAMP, "", None, False
    )
    return guarded(request, presented, keys.root)


def signed_stream(*parts: bytes) -> bytes:
    stream = SignedStream()
    return b"".join(stream.chunk(part) for part in (*parts, b"")) + b"\r\n"


@given(st.lists(st.binary(min_size=1, max_size=200), max_size=5))
async def test_signed_chunks(parts: list[bytes]) -> None:
    content = b"".join(parts)
    assert await received(signed_stream(*parts), len(content)).read(10_000) == content


async def test_signed_trailer() -> None:
    stream = SignedStream()
    encoded = stream.chunk(b"hello") + stream.chunk(b"")
    encoded += stream.trailer("x-amz-checksum-sha1", "abc=") + b"\r\n"
    body = received(encoded, 5, "x-amz-checksum-sha1")
    assert isinstance(body, AwsChunkedBody)
    assert await body.read(5) == b"hello"
    assert body.trailers == {"x-amz-checksum-sha1": "abc="}


@pytest.mark.parametrize("change", [(b"hello", b"hellO"), (b"abc=", b"abd="), (b"signature:", b"signature:0")])
async def test_tampered_signed_streams(change: tuple[bytes, bytes]) -> None:
    stream = SignedStream()
    encoded = stream.chunk(b"hello") + stream.chunk(b"") + stream.trailer("x-amz-checksum-sha1", "abc=") + b"\r\n"
    with pytest.raises(ServiceError) as caught:
        await received(encoded.replace(*change), 5, "x-amz-checksum-sha1").read(5)
    assert caught.value.code == "SignatureDoesNotMatch"


async def test_signed_chunks_cannot_change_places() -> None:
    stream = SignedStream()
    first, second, last = stream.chunk(b"one"), stream.chunk(b"two"), stream.chunk(b"")
    with pytest.raises(ServiceError, match="signature we calculated"):
        await received(second + first + last + b"\r\n", 6).read(6)


async def test_signed_stream_needs_its_signatures() -> None:
    with pytest.raises(ServiceError, match="signature we calculated"):
        await received(b"5\r\nhello\r\n0\r\n\r\n", 5).read(5)


@pytest.mark.parametrize(
    ("encoded", "length", "code"),
    [
        (b"", 0, "IncompleteBody"),
        (b"5\r\nhel", 5, "IncompleteBody"),
        (b"5\r\nhello\r\n", 5, "IncompleteBody"),
        (b"5\r\nhelloXX0\r\n\r\n", 5, "IncompleteBody"),
        (b"5\r\nhello\r\n0\r\n\r\n", 6, "IncompleteBody"),
        (b"5\r\nhello\r\n0\r\n\r\n", 4, "IncompleteBody"),
        (b"-5\r\nhello\r\n0\r\n\r\n", 5, "IncompleteBody"),
        (b"fffffffffffffffff\r\nhello\r\n0\r\n\r\n", 5, "IncompleteBody"),
        (b"5;" + b"x" * 100_000, 5, "IncompleteBody"),
        (b"5\r\nhello\r\n0\r\n\r\nmore", 5, "MalformedTrailerError"),
        (b"5\r\nhello\r\n0\r\nno colon\r\n\r\n", 5, "MalformedTrailerError"),
        (b"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:a\r\n\r\n", 5, "MalformedTrailerError"),
        (b"5\r\nhello\r\n0\r\n" + b"".join(b"t%d:a\r\n" % n for n in range(99)), 5, "MalformedTrailerError"),
    ],
)
async def test_malformed_streams(encoded: bytes, length: int, code: str) -> None:
    with pytest.raises(ServiceError) as caught:
        await unsigned(encoded, length).read(10)
    assert caught.value.code == code


async def test_announced_trailer_must_come() -> None:
    with pytest.raises(ServiceError) as caught:
        await unsigned(b"0\r\n\r\n", 0, 7, "x-amz-checksum-crc32").read(10)
    assert caught.value.code == "MalformedTrailerError"


async def test_large_body_is_refused_by_its_announced_length() -> None:
    with pytest.raises(BodyTooLarge):
        await unsigned(b"", 11).read(10)


@pytest.mark.parametrize("length", ["", "-1", "ten", "٣"])
def test_decoded_length_is_required(length: str) -> None:
    headers = Headers(
        [("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"), ("x-amz-decoded-content-length", length)]
    )
    request = Request("PUT", "/b/k", headers, WholeBody())
    presented = Presented("a", "d", "r", "s3", ("host",), "s", "t", "", None, False)
    with pytest.raises(ServiceError) as caught:
        guarded(request, presented, replace(keys.root))
    assert (caught.value.code, caught.value.status) == ("MissingContentLength", 411)
