"""Blobs on their way in: at once, in one piece after another, or from another repository."""

import asyncio
import re
from collections.abc import AsyncIterable
from functools import partial
from typing import Any

from clary.control.call import Call
from clary.records.record import Record
from clary.registry import blobs
from clary.registry.errors import DigestInvalid
from clary.registry.manifests import checked_digest
from clary.services.distribution import operation
from clary.services.distribution.requests import errors_of_registry, repository_of
from clary.services.ecr.repositories import find_named
from clary.wire.errors import ServiceError

_CONTENT_RANGE = re.compile(r"(?:bytes[ =])?(\d{1,18})-(\d{1,18})(?:/(?:\d+|\*))?", re.ASCII)


@operation("StartUpload")
async def start_upload(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    repository = await asyncio.to_thread(repository_of, call, request["Name"])
    if mounted := await asyncio.to_thread(_mount, call, request, repository):
        return mounted
    digest = request.get("Digest")
    with errors_of_registry():
        if digest is not None:
            checked_digest(digest)
        upload = await asyncio.to_thread(call.house.registry.begin, repository.id)
        if digest is None:
            return _under_way(repository, upload, 0)
        return await _complete(call, repository, upload, request["Body"], digest)


@operation("AppendToUpload")
async def append_to_upload(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    upload, registry = request["Upload"], call.house.registry
    repository = await asyncio.to_thread(_repository_of_upload, call, request)
    async with registry.uploads.turn(upload):
        with errors_of_registry():
            _check_range(request, repository, registry.uploads.size(upload))
            size = await registry.uploads.receive(upload, request["Body"])
    return _under_way(repository, upload, size)


@operation("CompleteUpload")
async def complete_upload(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    upload, registry = request["Upload"], call.house.registry
    repository = await asyncio.to_thread(_repository_of_upload, call, request)
    async with registry.uploads.turn(upload):
        with errors_of_registry():
            if "Digest" not in request:
                raise DigestInvalid("the upload cannot be completed without the digest of the blob")
            digest = checked_digest(request["Digest"])
            _check_range(request, repository, registry.uploads.size(upload))
            return await _complete(call, repository, upload, request["Body"], digest)


@operation("GetUpload")
def get_upload(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    repository = _repository_of_upload(call, request)
    with errors_of_registry():
        size = call.house.registry.uploads.size(request["Upload"])
    return {**_under_way(repository, request["Upload"], size), "Status": 204}


@operation("CancelUpload")
def cancel_upload(call: Call, request: dict[str, Any]) -> None:
    _repository_of_upload(call, request)
    call.house.registry.cancel(request["Upload"])


async def _complete(
    call: Call, repository: Record, upload: str, body: AsyncIterable[bytes], digest: str
) -> dict[str, Any]:
    await call.house.registry.uploads.receive(upload, body)
    await asyncio.to_thread(call.house.registry.finish, repository.id, upload, digest)
    return _stored(repository, digest)


def _mount(call: Call, request: dict[str, Any], repository: Record) -> dict[str, Any] | None:
    """None where it cannot be had from there, and has to be sent."""
    if "Mount" not in request or "From" not in request:
        return None
    source = find_named(call.house.records, repository.scope, request["From"])
    with errors_of_registry():
        digest = checked_digest(request["Mount"])
    if source is None or not call.house.registry.mount(repository.id, source.id, digest):
        return None
    return _stored(repository, digest)


def _repository_of_upload(call: Call, request: dict[str, Any]) -> Record:
    """The repository, to which there is such an upload."""
    repository = repository_of(call, request["Name"])
    with errors_of_registry():
        upload = request["Upload"]
        call.house.registry.view(partial(blobs.check_upload, upload=upload, repository=repository.id))
    return repository


def _check_range(request: dict[str, Any], repository: Record, offset: int) -> None:
    """What comes must go on where the upload ends, and be as long as it says."""
    if "ContentRange" not in request:
        return
    match = _CONTENT_RANGE.fullmatch(request["ContentRange"].strip())
    first, last = (int(match[1]), int(match[2])) if match else (-1, -1)
    if first != offset or last < first:
        wanted = f"the upload has {offset} bytes, and {request['ContentRange']!r} does not go on there"
        error = ServiceError("RANGE_INVALID", wanted, 416)
        error.answer = _under_way(repository, request["Upload"], offset)
        raise error
    length = request.get("ContentLength")
    if length is not None and length != str(last - first + 1):
        message = f"{length} bytes are announced, which are not those of {request['ContentRange']!r}"
        raise ServiceError("SIZE_INVALID", message, 400)


def _under_way(repository: Record, upload: str, size: int) -> dict[str, Any]:
    return {
        "Location": f"/v2/{repository.name}/blobs/uploads/{upload}",
        "Range": f"0-{max(0, size - 1)}",
        "DockerUploadUuid": upload,
    }


def _stored(repository: Record, digest: str) -> dict[str, Any]:
    return {
        "Status": 201,
        "Location": f"/v2/{repository.name}/blobs/{digest}",
        "DockerContentDigest": digest,
    }
