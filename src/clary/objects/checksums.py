"""The digests that S3 keeps with an object, by the API's names for them (`CRC32` in `ChecksumCRC32`).

The CRCs come from `anycrc`, which is imported when one is used, the others from `hashlib`.
"""

import hashlib
from base64 import b64encode
from collections.abc import Callable, Iterable
from functools import cache, partial
from typing import Any, NamedTuple, Protocol

DEFAULT = "CRC64NVME"
"""What S3 computes itself where a client names no algorithm."""


class Digest(Protocol):
    def update(self, data: bytes, /) -> None: ...

    def digest(self) -> bytes: ...


class CrcKind(NamedTuple):
    model: str
    """`anycrc`'s name for it."""
    width: int
    """In bytes."""


class Crc:
    def __init__(self, kind: CrcKind) -> None:
        self._model = _model(kind.model)
        self._width = kind.width
        self._value = 0

    def update(self, data: bytes, /) -> None:
        self._value = self._model.calc(data, self._value)

    def append(self, digest: bytes, size: int) -> None:
        """Go on with that many bytes of which only the CRC is known."""
        self._value = self._model.combine(self._value, int.from_bytes(digest, "big"), size)

    def digest(self) -> bytes:
        return self._value.to_bytes(self._width, "big")


CRCS = {
    "CRC32": CrcKind("CRC32", 4),
    "CRC32C": CrcKind("CRC32C", 4),
    "CRC64NVME": CrcKind("CRC64-NVME", 8),
}

ALGORITHMS: dict[str, Callable[[], Digest]] = {
    **{name: partial(Crc, kind) for name, kind in CRCS.items()},
    "SHA1": hashlib.sha1,
    "SHA256": hashlib.sha256,
    "SHA512": hashlib.sha512,
    "MD5": hashlib.md5,
}


@cache
def _model(name: str) -> Any:
    import anycrc

    return anycrc.Model(name)


def encoded(digest: bytes) -> str:
    return b64encode(digest).decode()


def composite(algorithm: str, digests: list[bytes]) -> str:
    """The checksum of the parts' checksums, with the number of parts."""
    whole = ALGORITHMS[algorithm]()
    for digest in digests:
        whole.update(digest)
    return f"{encoded(whole.digest())}-{len(digests)}"


def combined(algorithm: str, digests: Iterable[tuple[bytes, int]]) -> str:
    """The CRC of a whole from its parts' CRCs and sizes, without reading a byte."""
    whole = Crc(CRCS[algorithm])
    for digest, size in digests:
        whole.append(digest, size)
    return encoded(whole.digest())


def carried(source: dict[str, Any]) -> dict[str, str]:
    """The checksums in a request or a stored document, by algorithm."""
    return {name: source[f"Checksum{name}"] for name in ALGORITHMS if source.get(f"Checksum{name}")}
