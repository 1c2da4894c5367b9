"""The framing of event streams (`application/vnd.amazon.eventstream`), both ways.

    ┌ total length 4 ┬ headers length 4 ┬ CRC of both 4 ┬ headers … ┬ payload … ┬ CRC of all before 4 ┐

All numbers are big-endian. Source: "Event stream encoding" in the Amazon Transcribe developer guide.
"""

import struct
from binascii import crc32
from collections.abc import Iterator

HeaderValue = bool | int | bytes | str
PRELUDE = struct.Struct("!III")
CRC = struct.Struct("!I")
MAX_HEADERS = 128 * 1024
MAX_PAYLOAD = 24 * 1024 * 1024

TRUE, FALSE, LONG, BYTES, STRING = 0, 1, 5, 6, 7
INTEGERS = {2: struct.Struct("!b"), 3: struct.Struct("!h"), 4: struct.Struct("!i"), 5: struct.Struct("!q")}
TIMESTAMP = 8
"""Milliseconds since the epoch; read as an int."""
UUID = 9
"""Read as its 16 bytes."""


class BrokenFrame(ValueError):
    """Bytes that are not a message: a wrong checksum, length or header type."""


def encode_message(headers: dict[str, HeaderValue], payload: bytes) -> bytes:
    encoded = b"".join(_encode_header(name, value) for name, value in headers.items())
    total = PRELUDE.size + len(encoded) + len(payload) + CRC.size
    lengths = struct.pack("!II", total, len(encoded))
    message = lengths + CRC.pack(crc32(lengths)) + encoded + payload
    return message + CRC.pack(crc32(message))


def _encode_header(name: str, value: HeaderValue) -> bytes:
    raw_name = name.encode()
    head = bytes([len(raw_name)]) + raw_name
    if isinstance(value, bool):
        return head + bytes([TRUE if value else FALSE])
    if isinstance(value, int):
        return head + bytes([LONG]) + INTEGERS[LONG].pack(value)
    kind, raw = (BYTES, value) if isinstance(value, bytes) else (STRING, value.encode())
    return head + bytes([kind]) + struct.pack("!H", len(raw)) + raw


def decode_message(data: bytes) -> tuple[dict[str, HeaderValue], bytes, int] | None:
    """Headers, payload and length of the first message in `data`; None while it is incomplete."""
    if len(data) < PRELUDE.size:
        return None
    total, headers_length, prelude_crc = PRELUDE.unpack_from(data)
    if crc32(data[:8]) != prelude_crc:
        raise BrokenFrame("the checksum of the prelude is wrong")
    payload_length = total - headers_length - PRELUDE.size - CRC.size
    if headers_length > MAX_HEADERS or not 0 <= payload_length <= MAX_PAYLOAD:
        raise BrokenFrame(f"impossible lengths: message {total}, headers {headers_length}")
    if len(data) < total:
        return None
    if crc32(data[: total - CRC.size]) != CRC.unpack_from(data, total - CRC.size)[0]:
        raise BrokenFrame("the checksum of the message is wrong")
    payload_at = PRELUDE.size + headers_length
    headers = dict(_decode_headers(data[PRELUDE.size : payload_at]))
    return headers, data[payload_at : total - CRC.size], total


def _decode_headers(data: bytes) -> Iterator[tuple[str, HeaderValue]]:
    at = 0
    try:
        while at < len(data):
            name_end = at + 1 + data[at]
            name = data[at + 1 : name_end].decode()
            value, at = _decode_value(data, name_end)
            yield name, value
    except (IndexError, struct.error, UnicodeDecodeError) as error:
        raise BrokenFrame(f"the headers cannot be read: {error}") from error


def _decode_value(data: bytes, at: int) -> tuple[HeaderValue, int]:
    kind, at = data[at], at + 1
    if kind in (TRUE, FALSE):
        return kind == TRUE, at
    if kind in INTEGERS or kind == TIMESTAMP:
        number = INTEGERS[LONG if kind == TIMESTAMP else kind]
        return number.unpack_from(data, at)[0], at + number.size
    if kind == UUID:
        return data[at : at + 16], at + 16
    if kind not in (BYTES, STRING):
        raise BrokenFrame(f"there is no header type {kind}")
    end = at + 2 + struct.unpack_from("!H", data, at)[0]
    raw = data[at + 2 : end]
    return (raw if kind == BYTES else raw.decode()), end
