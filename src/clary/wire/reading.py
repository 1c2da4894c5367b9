"""Requests out of bytes: what the parser tells, put together and bounded.

    Reader.feed(bytes) → httptools → on_headers_complete: an Exchange, handed to Reading.arrived
                                   → on_body: RequestBody.feed, then Reading.took
                                   → on_message_complete: Reading.ended

The parser knows HTTP's grammar; how large a head may be, and what is refused though it is grammatical, is here.
"""

from dataclasses import dataclass
from typing import Protocol

import httptools

from clary.wire.answers import plain
from clary.wire.bodies import Flow, RequestBody
from clary.wire.http import Headers, Request, Response

MAX_HEAD = 64 * 1024
MAX_HEADERS = 256


@dataclass(slots=True)
class Exchange:
    request: Request
    body: RequestBody
    keep_alive: bool
    http_1_0: bool


class Reading(Flow, Protocol):
    """What a connection is told of its requests."""

    peer: str

    def began(self) -> None:
        """The first byte of a head."""

    def arrived(self, exchange: Exchange) -> None:
        """A head is complete."""

    def took(self, body: RequestBody, kept: bool) -> None:
        """The body took a chunk; not `kept` where nobody reads it and there was too much of it."""

    def ended(self) -> None:
        """A request is complete, body and all."""


class Refused(Exception):
    """No further request can be read. `answer` is what the client hears, unless it is in the middle of a body."""

    def __init__(self, answer: Response) -> None:
        super().__init__()
        self.answer = answer


class Reader:
    def __init__(self, connection: Reading) -> None:
        self._connection = connection
        self._parser = httptools.HttpRequestParser(self)
        self._url = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._unparsed = 0
        """Bytes since the parser last made a whole head or a piece of body of them."""
        self._refusal: Response | None = None
        self._body: RequestBody | None = None

    def feed(self, data: bytes) -> bool:
        """False when nothing more is to be fed. Raises `Refused`."""
        self._unparsed += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # Served as a plain request; what follows it is in a protocol that is not spoken here.
            return False
        except httptools.HttpParserError as error:
            raise Refused(self._refusal or plain(400, f"Bad request: {error}")) from None
        # The parser tells of a header only once it is complete; this bounds an endless one.
        if self._unparsed > MAX_HEAD:
            raise Refused(_head_too_large())
        return True

    def on_message_begin(self) -> None:
        self._url = b""
        self._headers = []
        self._connection.began()

    def on_url(self, part: bytes) -> None:
        self._url += part

    def on_header(self, name: bytes, value: bytes) -> None:
        # Trailers of a chunked body come here too: bounded like headers, and not read by anyone.
        self._headers.append((name, value))
        if len(self._headers) > MAX_HEADERS:
            self._refuse(_head_too_large())

    def on_headers_complete(self) -> None:
        if self._unparsed > MAX_HEAD and self._head_size() > MAX_HEAD:
            self._refuse(_head_too_large())
        self._unparsed = 0
        parser, connection = self._parser, self._connection
        headers = Headers.received(self._headers)
        length = headers.get("content-length")
        upgrade = parser.should_upgrade()
        if upgrade and (length not in ("", "0") or "transfer-encoding" in headers):
            # The parser would take the body for the other protocol's first bytes.
            self._refuse(plain(400, "A request with a body cannot change the protocol."))
        # The parser has refused any length that is not plain digits.
        body = RequestBody(connection, int(length) if length else None, headers.get("expect").lower() == "100-continue")
        method, target = parser.get_method().decode("ascii"), self._url.decode("latin-1")
        self._body = body
        connection.arrived(
            Exchange(
                Request(method, target, headers, body, connection.peer),
                body,
                keep_alive=parser.should_keep_alive() and not upgrade,
                http_1_0=parser.get_http_version() == "1.0",
            )
        )

    def on_body(self, chunk: bytes) -> None:
        assert self._body is not None
        self._unparsed = 0
        self._connection.took(self._body, self._body.feed(chunk))

    def on_message_complete(self) -> None:
        assert self._body is not None
        self._unparsed = 0
        self._body.end()
        self._connection.ended()

    def _head_size(self) -> int:
        return len(self._url) + sum(len(name) + len(value) + 4 for name, value in self._headers)

    def _refuse(self, answer: Response) -> None:
        """Stop the parser, which turns whatever its callbacks raise into an error of its own."""
        self._refusal = answer
        raise Refused(answer)


def _head_too_large() -> Response:
    return plain(431, f"The request head has more than {MAX_HEAD} bytes or {MAX_HEADERS} headers.")
