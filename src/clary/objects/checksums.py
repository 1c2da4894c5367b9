"""The digests that S3 keeps with an object, by the API's names for them (`CRC32` in `ChecksumCRC32`).

The CRCs come from zlib and AWS's own `awscrt` (imported when one is used), the others from `hashlib`.
"""

import hashlib
import zlib
from base64 import b64encode
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Protocol

DEFAULT = "CRC64NVME"
"""What S3 computes itself where a client names no algorithm."""


class Digest(Protocol):
    def update(self, data: bytes, /) -> None: ...

    def digest(self) -> bytes: ...


class Crc:
    def __init__(self, function: Callable[[bytes, int], int], width: int) -> None:
        self._function = function
        self._width = width
        self._value = 0

    def update(self, data: bytes, /) -> None:
        self._value = self._function(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(self._width, "big")


class Algorithm(NamedTuple):
    start: Callable[[], Digest]
    combine: str | None
    """`awscrt`'s function that makes the whole's CRC of the parts'; without one only composites can be had.
    """


def _crt(name: str) -> Callable[..., int]:
    from awscrt import checksums

    function: Callable[..., int] = getattr(checksums, name)
    return function


ALGORITHMS: dict[str, Algorithm] = {
    "CRC32": Algorithm(lambda: Crc(zlib.crc32, 4), "combine_crc32"),
    "CRC32C": Algorithm(lambda: Crc(_crt("crc32c"), 4), "combine_crc32c"),
    "CRC64NVME": Algorithm(lambda: Crc(_crt("crc64nvme"), 8), "combine_crc64nvme"),
    "SHA1": Algorithm(hashlib.sha1, None),
    "SHA256": Algorithm(hashlib.sha256, None),
    "SHA512": Algorithm(hashlib.sha512, None),
    "MD5": Algorithm(hashlib.md5, None),
}


def encoded(digest: bytes) -> str:
    return b64encode(digest).decode()


def composite(algorithm: str, digests: list[bytes]) -> str:
    """The checksum of the parts' checksums, with the number of parts."""
    whole = ALGORITHMS[algorithm].start()
    for digest in digests:
        whole.update(digest)
    return f"{encoded(whole.digest())}-{len(digests)}"


def combined(algorithm: str, digests: Iterable[tuple[bytes, int]]) -> str:
    """The CRC of a whole from its parts' CRCs and sizes, without reading a byte."""
    name = ALGORITHMS[algorithm].combine
    assert name is not None
    combine = _crt(name)
    value, width = 0, 0
    for digest, size in digests:
        value = combine(value, int.from_bytes(digest, "big"), size)
        width = len(digest)
    return encoded(value.to_bytes(width, "big"))


def carried(source: dict[str, Any]) -> dict[str, str]:
    """The checksums in a request or a stored document, by algorithm."""
    return {name: source[f"Checksum{name}"] for name in ALGORITHMS if source.get(f"Checksum{name}")}
