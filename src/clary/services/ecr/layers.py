"""Layers by ECR's API: whether they are there, where to get them, and in parts of up to 20 MiB on their way in."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Any
from urllib.parse import urlencode

from clary.control.call import Call
from clary.records.record import Record
from clary.registry import blobs
from clary.registry.errors import DigestInvalid, UploadUnknown
from clary.registry.manifests import DOCKER_LAYER, checked_digest
from clary.services.ecr import operation
from clary.services.ecr.repositories import find_repository, principal_of, registry_url
from clary.wire.errors import ServiceError
from clary.wire.passwords import URL_PARAMETER

PART_SIZE = 20 << 20
URL_SECONDS = 3600


@operation("BatchCheckLayerAvailability")
def batch_check_layer_availability(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    repository = find_repository(call, request)
    wanted, failures = [], []
    for digest in request["layerDigests"]:
        try:
            wanted.append(checked_digest(digest))
        except DigestInvalid as error:
            code = "InvalidLayerDigest" if digest else "MissingLayerDigest"
            failures.append({"layerDigest": digest, "failureCode": code, "failureReason": str(error)})
    sizes = call.house.registry.view(partial(blobs.sizes_of, repository=repository.id, digests=wanted))
    layers = [
        {"layerDigest": digest, "layerAvailability": "AVAILABLE", "layerSize": sizes[digest], "mediaType": DOCKER_LAYER}
        if digest in sizes
        else {"layerDigest": digest, "layerAvailability": "UNAVAILABLE"}
        for digest in wanted
    ]
    return {"layers": layers, "failures": failures}


@operation("GetDownloadUrlForLayer")
def get_download_url_for_layer(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """The URL is good for this layer alone, and for an hour."""
    repository, digest = find_repository(call, request), request["layerDigest"]
    if not call.house.registry.view(partial(blobs.sizes_of, repository=repository.id, digests=[digest])):
        where = f"in the registry with id '{repository.scope.account}'"
        message = f"Layer with digest '{digest}' does not exist in the repository with name '{repository.name}' {where}"
        raise ServiceError("LayersNotFoundException", message, 400)
    path = f"/v2/{repository.name}/blobs/{digest}"
    region = call.scope.region
    password, _ = call.house.keys.issue_password(principal_of(call), region, URL_SECONDS, path)
    return {"downloadUrl": f"{registry_url(call)}{path}?{urlencode({URL_PARAMETER: password})}", "layerDigest": digest}


@operation("InitiateLayerUpload")
def initiate_layer_upload(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    repository = find_repository(call, request)
    return {"uploadId": call.house.registry.begin(repository.id), "partSize": PART_SIZE}


@operation("UploadLayerPart")
async def upload_layer_part(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    repository = await asyncio.to_thread(_repository_of_upload, call, request)
    upload, uploads = request["uploadId"], call.house.registry.uploads
    first, last, content = request["partFirstByte"], request["partLastByte"], request["layerPartBlob"]
    async with uploads.turn(upload):
        offset = uploads.size(upload)
        if first != offset or last - first + 1 != len(content) or not content:
            raise ServiceError(
                "InvalidLayerPartException",
                f"The upload has {offset} bytes; {len(content)} bytes from {first} to {last} do not go on there",
                400,
                **_about(repository, upload),
                lastValidByteReceived=max(0, offset - 1),
            )
        size = await uploads.receive(upload, _once(content))
    return {**_about(repository, upload), "lastByteReceived": size - 1}


@operation("CompleteLayerUpload")
async def complete_layer_upload(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    repository = await asyncio.to_thread(_repository_of_upload, call, request)
    upload, registry = request["uploadId"], call.house.registry
    digest = request["layerDigests"][0]
    async with registry.uploads.turn(upload):
        await asyncio.to_thread(_check_completion, call, repository, upload, digest)
        try:
            await asyncio.to_thread(registry.finish, repository.id, upload, digest)
        except DigestInvalid as error:
            raise ServiceError("InvalidLayerException", f"Layer is not valid: {error}", 400) from None
    return {**_about(repository, upload), "layerDigest": digest}


def _check_completion(call: Call, repository: Record, upload: str, digest: str) -> None:
    registry = call.house.registry
    if registry.uploads.size(upload) == 0:
        raise ServiceError("EmptyUploadException", f"The upload with id '{upload}' has no layer parts", 400)
    if registry.view(partial(blobs.sizes_of, repository=repository.id, digests=[digest])):
        registry.cancel(upload)
        where = f"in the repository with name '{repository.name}' in registry with id '{repository.scope.account}'"
        raise ServiceError("LayerAlreadyExistsException", f"Layer with digest '{digest}' already exists {where}", 400)


def _repository_of_upload(call: Call, request: dict[str, Any]) -> Record:
    repository, upload = find_repository(call, request), request["uploadId"]
    try:
        call.house.registry.view(partial(blobs.check_upload, upload=upload, repository=repository.id))
        call.house.registry.uploads.size(upload)
    except UploadUnknown:
        where = f"in the repository with name '{repository.name}' in the registry with id '{repository.scope.account}'"
        message = f"An upload with id '{upload}' does not exist {where}"
        raise ServiceError("UploadNotFoundException", message, 400) from None
    return repository


def _about(repository: Record, upload: str) -> dict[str, str]:
    return {"registryId": repository.scope.account, "repositoryName": repository.name, "uploadId": upload}


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content
