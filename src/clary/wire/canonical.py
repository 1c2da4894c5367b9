"""A request in Signature Version 4's canonical form, made from what arrived.

Source: "Create a signed AWS API request" in the IAM User Guide. S3 encodes the path once and leaves it as it
is; every other service normalises it and encodes it once more. Text is latin-1 throughout, as headers are,
so that encoding it again gives the client's own bytes.
"""

import re
from collections.abc import Sequence
from urllib.parse import quote, unquote_plus, unquote_to_bytes

from clary.wire.http import Headers

_PLAIN_PATH = re.compile(r"[A-Za-z0-9_.~/-]*", re.ASCII)
_PLAIN_QUERY = re.compile(r"[A-Za-z0-9_.~=&-]*", re.ASCII)
_RUNS_OF_SPACE = re.compile(r"[ \t]+")


def canonical_request(
    method: str,
    path: str,
    pairs: Sequence[tuple[str, str]],
    headers: Headers,
    signed_headers: Sequence[str],
    payload: str,
) -> str:
    """`path` and `pairs` are canonical already; `payload` is the last line, mostly the body's SHA-256."""
    query = "&".join([f"{name}={value}" for name, value in sorted(pairs)])
    values: dict[str, str] = {}
    for name, value in headers:
        value = value.strip(" \t")
        values[name] = f"{values[name]},{value}" if name in values else value
    lines = "\n".join([f"{name}:{values.get(name, '')}" for name in signed_headers])
    if "  " in lines or "\t" in lines:
        lines = _RUNS_OF_SPACE.sub(" ", lines)
    return f"{method}\n{path}\n{query}\n{lines}\n\n{';'.join(signed_headers)}\n{payload}"


def canonical_path(path: str, service: str) -> str:
    """`path` as sent, percent-encoded."""
    if service == "s3":
        return path if _PLAIN_PATH.fullmatch(path) else quote(unquote_to_bytes(path.encode("latin-1")), safe="/~")
    if "//" in path or "/." in path:
        path = _normalised(path)
    return (path if _PLAIN_PATH.fullmatch(path) else quote(path.encode("latin-1"), safe="/~")) or "/"


def canonical_pairs(query: str) -> list[tuple[str, str]]:
    """The query's names and values, each in canonical encoding. `+` is a space, as in forms."""
    if not query:
        return []
    pairs = [(name, value) for name, _, value in (pair.partition("=") for pair in query.split("&") if pair)]
    if _PLAIN_QUERY.fullmatch(query):
        return pairs
    return [(_encoded(name), _encoded(value)) for name, value in pairs]


def signed_parameters(query: str) -> dict[str, str]:
    """The parameters of a signed URL's query, decoded, the last of each name: what signs it is among them."""
    pairs = (pair.partition("=") for pair in query.split("&"))
    return {unquote_plus(name): unquote_plus(value) for name, _, value in pairs}


def headers_in_query(parameters: dict[str, str]) -> dict[str, str]:
    """Which of a version 2 URL's parameters stand for headers: those that its signature covers as such."""
    return {name: value for name, value in parameters.items() if name.startswith("x-amz-")}


def _encoded(text: str) -> str:
    return quote(unquote_to_bytes(text.replace("+", " ").encode("latin-1")), safe="~")


def _normalised(path: str) -> str:
    """RFC 3986 section 5.2.4, and runs of slashes as one."""
    segments: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del segments[-1:]
        elif segment not in ("", "."):
            segments.append(segment)
    return "/" + "/".join(segments) + ("/" if segments and path.endswith("/") else "")
