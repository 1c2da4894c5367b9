"""Requests as the server makes them, for tests that have no server."""

from collections.abc import AsyncIterator, Mapping

from clary.wire.http import Headers, Request


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
