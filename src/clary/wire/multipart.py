"""`multipart/form-data` as it arrives: the fields of a form, then its file, which is handed on as a stream.

    --boundary CRLF headers CRLF CRLF content CRLF --boundary … CRLF --boundary--

Source: RFC 7578 and RFC 2046, section 5.1. S3 reads nothing behind the file.
"""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

from clary.wire.errors import ServiceError
from clary.wire.http import Body

MOST_BEFORE_FILE = 20 * 1024
"""Bytes of all that stands before the file."""
_BOUNDARY = re.compile(r'multipart/form-data\s*;(?:.*;)?\s*boundary="?([^";]{1,70})"?.*', re.IGNORECASE)
_DISPOSITION = re.compile(r"^content-disposition:(.*)$", re.IGNORECASE | re.MULTILINE)
_PARAMETER = re.compile(r';\s*(name|filename)=(?:"([^"]*)"|([^;\s"]+))', re.IGNORECASE)
_FILE = "file"


@dataclass(frozen=True, slots=True)
class Form:
    fields: dict[str, str]
    """Names in lower case; the first of a name counts."""
    filename: str
    file: AsyncIterator[bytes]


def boundary_of(content_type: str) -> str | None:
    match = _BOUNDARY.fullmatch(content_type.strip())
    return match[1] if match else None


async def read_form(body: Body, boundary: str) -> Form:
    """Reads up to the content of the file; what is no form raises S3's `ServiceError`."""
    stream = _Stream(body, boundary)
    fields: dict[str, str] = {}
    await stream.skip_preamble()
    while (header := await stream.next_part()) is not None:
        match = _DISPOSITION.search(_text(header))
        named = {key.lower(): quoted or plain for key, quoted, plain in _PARAMETER.findall(match[1] if match else "")}
        if "name" not in named:
            raise malformed()
        if named["name"].lower() == _FILE:
            # Some browsers send the whole path, as it is on the user's machine.
            filename = re.split(r"[/\\]", named.get("filename", "").replace("%22", '"'))[-1]
            return Form(fields, filename, stream.file())
        fields.setdefault(named["name"].lower(), _text(await stream.field()))
    message = "POST requires exactly one file upload per request."
    raise ServiceError("InvalidArgument", message, 400, ArgumentName=_FILE, ArgumentValue="0")


class _Stream:
    """A buffer over the body, and where it is cut."""

    def __init__(self, body: Body, boundary: str) -> None:
        self._chunks = aiter(body)
        self._delimiter = b"\r\n--" + boundary.encode("latin-1")
        self._buffer = b"\r\n"  # the first delimiter may be the very first line
        self._room = MOST_BEFORE_FILE

    async def skip_preamble(self) -> None:
        await self._until(self._delimiter)

    async def next_part(self) -> bytes | None:
        """The header of the part behind a delimiter; None behind the last one."""
        line = await self._until(b"\r\n", at_end=b"--")
        if line is None:
            return None
        # The line break that ends the delimiter may be the header's only one.
        self._buffer = b"\r\n" + self._buffer
        return await self._until(b"\r\n\r\n")

    async def field(self) -> bytes:
        found = await self._until(self._delimiter)
        assert found is not None
        return found

    async def file(self) -> AsyncIterator[bytes]:
        """Up to the next delimiter."""
        tail = len(self._delimiter) - 1
        while (end := self._buffer.find(self._delimiter)) < 0:
            ready, self._buffer = self._buffer[:-tail], self._buffer[-tail:]
            if ready:
                yield ready
            await self._more()
        if end:
            yield self._buffer[:end]

    async def _until(self, mark: bytes, at_end: bytes | None = None) -> bytes | None:
        """What stands before `mark`, which is taken too; None where `at_end` comes first thing."""
        while (end := self._buffer.find(mark)) < 0:
            if at_end and self._buffer.startswith(at_end):
                return None
            if len(self._buffer) > self._room:
                raise _too_long()
            await self._more()
        found, self._buffer = self._buffer[:end], self._buffer[end + len(mark) :]
        if at_end and found.startswith(at_end):
            return None
        self._room -= len(found)
        if self._room < 0:
            raise _too_long()
        return found

    async def _more(self) -> None:
        try:
            self._buffer += await anext(self._chunks)
        except StopAsyncIteration:
            raise malformed() from None


def malformed() -> ServiceError:
    message = "The body of your POST request is not well-formed multipart/form-data."
    return ServiceError("MalformedPOSTRequest", message, 400)


def _text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise malformed() from None


def _too_long() -> ServiceError:
    message = "Your POST request fields preceding the upload file were too large."
    return ServiceError("MaxPostPreDataLengthExceeded", message, 400, MaxPostPreDataLengthBytes=str(MOST_BEFORE_FILE))
