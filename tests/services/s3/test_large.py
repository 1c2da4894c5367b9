"""A 5 GB object in 100 MB of memory."""

import hashlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.platform import Platform

SIZE = 5_000_000_000
BLOCK = os.urandom(1 << 20)
HEADROOM = 100_000_000
"""Bytes by which the platform may grow over what it holds when idle."""


def peak_memory(pid: int) -> int:
    """Bytes that the process held at most."""
    status = Path(f"/proc/{pid}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def blocks() -> Iterator[bytes]:
    for start in range(0, SIZE, len(BLOCK)):
        yield BLOCK[: SIZE - start]


@pytest.mark.slow
def test_five_gigabytes_stream_through(own_platform: Platform) -> None:
    s3: Any = own_platform.client("s3", signature_version="s3v4")
    s3.create_bucket(Bucket="large")
    s3.put_object(Bucket="large", Key="warm", Body=b"")
    idle = peak_memory(own_platform.pid)
    named = {"Bucket": "large", "Key": "five-gigabytes"}
    sent = put(s3.generate_presigned_url("put_object", Params=named))
    head = s3.head_object(**named)
    assert (head["ContentLength"], head["ETag"]) == (SIZE, f'"{sent}"')
    received = hashlib.md5()
    for chunk in s3.get_object(**named)["Body"].iter_chunks(1 << 20):
        received.update(chunk)
    assert received.hexdigest() == sent
    assert peak_memory(own_platform.pid) - idle < HEADROOM


def put(url: str) -> str:
    """Sends the object as fast as the platform takes it; its MD5."""
    parts = urlsplit(url)
    assert parts.port is not None
    digest = hashlib.md5()
    with socket.create_connection(("127.0.0.1", parts.port)) as connection:
        head = f"PUT {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Length: {SIZE}\r\n\r\n"
        connection.sendall(head.encode())
        for block in blocks():
            digest.update(block)
            connection.sendall(block)
        assert connection.recv(1024).startswith(b"HTTP/1.1 200 ")
    return digest.hexdigest()
