"""What the operations on a registry share: the repository, the words for what is wrong, and pages."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode, urlsplit

from clary.control.call import Call
from clary.records.record import Record, Scope
from clary.registry import errors
from clary.services.ecr.repositories import find_named, not_found, read_host
from clary.wire.errors import ServiceError
from clary.wire.models import service_model

MOST_ENTRIES = 1000
"""Of a page, where the client asks for more or for no number."""
_NUMBER = re.compile(r"\d{1,9}", re.ASCII)

_ANSWERS: tuple[tuple[type[errors.RegistryError], str, int], ...] = (
    (errors.UploadUnknown, "BLOB_UPLOAD_UNKNOWN", 404),
    (errors.BlobUnknown, "BLOB_UNKNOWN", 404),
    (errors.BlobInUse, "UNSUPPORTED", 405),
    (errors.DigestInvalid, "DIGEST_INVALID", 400),
    (errors.ManifestInvalid, "MANIFEST_INVALID", 400),
    (errors.BlobsMissing, "MANIFEST_BLOB_UNKNOWN", 404),
    (errors.ImageUnknown, "MANIFEST_UNKNOWN", 404),
    (errors.ImageInUse, "UNSUPPORTED", 405),
    (errors.TagImmutable, "TAG_INVALID", 400),
)


@contextmanager
def errors_of_registry() -> Iterator[None]:
    try:
        yield
    except errors.RegistryError as error:
        code, status = next((code, status) for kind, code, status in _ANSWERS if isinstance(error, kind))
        raise ServiceError(code, str(error), status) from None


def scope_of(call: Call) -> Scope:
    """The registry that is asked: the one of the address, where that is one on AWS, else of the log-in's region."""
    return read_host(urlsplit(call.endpoint).netloc) or call.scope


def repository_of(call: Call, name: str) -> Record:
    """Raises `NAME_INVALID` and `NAME_UNKNOWN`."""
    shape = service_model("ecr").shape_for("RepositoryName")
    if not 2 <= len(name) <= shape.metadata["max"] or not re.fullmatch(shape.metadata["pattern"], name):
        raise ServiceError("NAME_INVALID", f"{name!r} is not a name of a repository", 400)
    scope = scope_of(call)
    found = find_named(call.house.records, scope, name) if scope.account == call.scope.account else None
    if found is None:
        raise ServiceError("NAME_UNKNOWN", not_found(name, scope.account), 404)
    return found


def page_size(request: dict[str, Any]) -> int:
    text = request.get("Most")
    if text is None:
        return MOST_ENTRIES
    if not _NUMBER.fullmatch(text):
        raise ServiceError("PAGINATION_NUMBER_INVALID", f"n is {text!r}, which is no number of entries", 400)
    return min(int(text), MOST_ENTRIES)


def link_to_next(path: str, most: int, last: str) -> str:
    return f'<{path}?{urlencode({"n": most, "last": last})}>; rel="next"'
