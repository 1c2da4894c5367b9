"""Forms that arrive in pieces of any size."""

import asyncio
import itertools
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clary.wire.errors import ServiceError
from clary.wire.multipart import boundary_of, read_form


class Pieces:
    """A body cut at the given places."""

    def __init__(self, whole: bytes, cuts: list[int]) -> None:
        edges = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
        self._pieces = [whole[start:end] for start, end in itertools.pairwise(edges)]

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece

    async def read(self, limit: int) -> bytes:
        return b"".join(self._pieces)[:limit]


def form_of(fields: dict[str, bytes], content: bytes) -> bytes:
    parts = [
        f'--BB\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + fields[name] for name in fields
    ]
    parts.append(b'--BB\r\ncontent-disposition: form-data; name=file; filename="a"\r\n\r\n' + content)
    return b"\r\n".join([*parts, b"--BB--\r\n"])


async def whole(body: Pieces) -> tuple[dict[str, str], bytes]:
    form = await read_form(body, "BB")
    return form.fields, b"".join([piece async for piece in form.file])


near_boundaries = (
    st.lists(st.sampled_from([b"\r\n", b"--", b"BB", b"\r\n--B", b"x", b"-"]))
    .map(b"".join)
    .filter(lambda content: b"\r\n--BB" not in b"\r\n" + content)
)


@given(near_boundaries, near_boundaries, st.lists(st.integers(0, 300)))
def test_it_does_not_matter_how_they_are_cut(field: bytes, content: bytes, cuts: list[int]) -> None:
    body = Pieces(form_of({"a": field, "key": b"k"}, content), cuts)
    assert asyncio.run(whole(body)) == ({"a": field.decode(), "key": "k"}, content)


@given(st.integers(0, 105), st.lists(st.integers(0, 300)))
def test_one_that_breaks_off_is_malformed(length: int, cuts: list[int]) -> None:
    complete = form_of({"a": b"1"}, b"content")
    length = min(length, complete.index(b"\r\n--BB--"))
    with pytest.raises(ServiceError, match="not well-formed"):
        asyncio.run(whole(Pieces(complete[:length], cuts)))


@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        ("multipart/form-data; boundary=XX", "XX"),
        ('Multipart/Form-Data; charset=utf-8; boundary="a b"', "a b"),
        ("multipart/form-data; boundary=XX; charset=utf-8", "XX"),
        ("multipart/form-data", None),
        ("multipart/form-data; boundary=", None),
        ("multipart/mixed; boundary=XX", None),
    ],
)
def test_boundaries(content_type: str, boundary: str | None) -> None:
    assert boundary_of(content_type) == boundary
