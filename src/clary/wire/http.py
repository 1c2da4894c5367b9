"""The values that cross the wire: one HTTP request in, one response out.

`server.py` makes a `Request` from bytes and writes a `Response` back; `gateway.py` is what stands between.
Nothing above this room sees these types, except `Body` and `FileBody`, which carry streaming blobs.
"""

from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Protocol, Self


@lru_cache(maxsize=1024)
def _lower_name(name: bytes) -> str:
    return name.decode("latin-1").lower()


class Headers:
    """An ordered, case-insensitive multi-map. Names are kept in lower case, values as sent (latin-1)."""

    __slots__ = ("_first", "items")

    def __init__(self, items: Iterable[tuple[str, str]] = ()) -> None:
        self._hold([(name.lower(), value) for name, value in items])

    @classmethod
    def received(cls, raw: Iterable[tuple[bytes, bytes]]) -> Self:
        """From bytes off the socket, with the same few names in every request."""
        headers = cls.__new__(cls)
        headers._hold([(_lower_name(name), value.decode("latin-1")) for name, value in raw])
        return headers

    def _hold(self, items: list[tuple[str, str]]) -> None:
        self.items = items
        # Built from the end, so that the first of several values is the one that stays.
        self._first = dict(reversed(items))

    def get(self, name: str, default: str = "") -> str:
        """First value of a header, or `default`."""
        return self._first.get(name.lower(), default)

    def all(self, name: str) -> list[str]:
        name = name.lower()
        return [value for key, value in self.items if key == name]

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._first

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.items)


class BodyError(Exception):
    """A request body that cannot be read to its end."""


class BodyTooLarge(BodyError):
    def __init__(self, limit: int) -> None:
        super().__init__(f"the request body is larger than {limit} bytes")
        self.limit = limit


class BodyMalformed(BodyError):
    """The client broke HTTP's framing in the middle of the body."""


class BodyTimeout(BodyError):
    """The client stopped sending in the middle of the body."""


class ClientDisconnected(BodyError):
    """The client went away before the end of the body."""


class Body(Protocol):
    """A request body on its way in; read once. Both ways of reading raise `BodyError`."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Chunks as they arrive, with back-pressure on the socket."""
        ...

    async def read(self, limit: int) -> bytes:
        """The whole body; raises `BodyTooLarge` past `limit` bytes."""
        ...


@dataclass(frozen=True, slots=True)
class FileBody:
    """A part of an immutable file, to be sent without reading it whole into memory."""

    path: Path
    offset: int
    length: int


ResponseBody = bytes | FileBody | AsyncIterator[bytes]


@dataclass(slots=True)
class Request:
    method: str
    target: str
    """As sent: still percent-encoded, with the query: `/bucket/a%20b?list-type=2`."""
    headers: Headers
    body: Body
    peer: str = ""

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]


@dataclass(slots=True)
class Response:
    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: ResponseBody = b""
    """An iterator without a `content-length` header is sent chunked."""
