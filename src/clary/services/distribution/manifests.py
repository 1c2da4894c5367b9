"""Images by their manifests: pushed, pulled, deleted, and what is about them."""

import time
from functools import partial
from typing import Any

import orjson

from clary.control.call import Call
from clary.registry import images
from clary.registry.errors import DigestInvalid
from clary.registry.images import Image
from clary.registry.manifests import OCI_INDEX, TAG, checked_digest, read_manifest
from clary.services.distribution import operation
from clary.services.distribution.requests import errors_of_registry, repository_of
from clary.services.ecr.pushing import push_image
from clary.wire.errors import ServiceError

PULLS_TOLD = 3600.0
"""Seconds between notes of when an image was pulled last."""


@operation("PutManifest")
def put_manifest(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    repository, reference = repository_of(call, request["Name"]), request["Reference"]
    with errors_of_registry():
        manifest = read_manifest(request["Body"], request.get("ContentType", ""))
        tag = None if ":" in reference else _checked_tag(reference)
        if tag is None and checked_digest(reference) != manifest.digest:
            raise DigestInvalid(f"the manifest has the digest {manifest.digest}, not {reference}")
        push_image(call.house, repository, manifest, request["Body"], tag)
    return {
        "Location": f"/v2/{repository.name}/manifests/{manifest.digest}",
        "DockerContentDigest": manifest.digest,
        "Subject": manifest.subject,
    }


@operation("HeadManifest")
def head_manifest(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    _, image, content = _find(call, request)
    return _described(image, content)


@operation("GetManifest")
def get_manifest(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    repository, image, content = _find(call, request)
    if image.pulled is None or image.pulled < time.time() - PULLS_TOLD:
        call.house.registry.change(partial(images.pulled, repository=repository, digest=image.digest))
    return {**_described(image, content), "Body": content}


@operation("DeleteManifest")
def delete_manifest(call: Call, request: dict[str, Any]) -> None:
    repository, reference = repository_of(call, request["Name"]), request["Reference"]
    with errors_of_registry():
        if ":" in reference:
            digest = checked_digest(reference)
            call.house.registry.change(partial(images.remove, repository=repository.id, digest=digest))
        else:
            call.house.registry.change(partial(images.untag, repository=repository.id, tag=reference))


@operation("ListReferrers")
def list_referrers(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    repository, wanted = repository_of(call, request["Name"]), request.get("ArtifactType")
    with errors_of_registry():
        subject = checked_digest(request["Digest"])
    found = call.house.registry.view(partial(images.referrers, repository=repository.id, subject=subject))
    described = [
        {
            "mediaType": image.media_type,
            "digest": image.digest,
            "size": size,
            "artifactType": image.artifact_type,
            "annotations": image.annotations,
        }
        for image, size in found
        if wanted is None or image.artifact_type == wanted
    ]
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": described}
    applied = {} if wanted is None else {"FiltersApplied": "artifactType"}
    return {"ContentType": OCI_INDEX, "Body": orjson.dumps(index), **applied}


def _find(call: Call, request: dict[str, Any]) -> tuple[str, Image, bytes]:
    """The repository's id, the image and its manifest."""
    repository, reference = repository_of(call, request["Name"]), request["Reference"]
    with errors_of_registry():
        if ":" in reference:
            checked_digest(reference)
        image, content = call.house.registry.view(partial(images.find, repository=repository.id, reference=reference))
    if not _accepts(request.get("Accept", ""), image.media_type):
        message = f"the manifest is of the type {image.media_type}, which the request does not accept"
        raise ServiceError("MANIFEST_UNKNOWN", message, 404)
    return repository.id, image, content


def _accepts(header: str, media_type: str) -> bool:
    """A header that names no type of a manifest at all is that of a client which does not ask."""
    accepted = {each.partition(";")[0].strip() for each in header.split(",")}
    return bool(accepted & {"", "*/*", "application/*", "application/json", media_type})


def _described(image: Image, content: bytes) -> dict[str, Any]:
    return {"DockerContentDigest": image.digest, "ContentType": image.media_type, "ContentLength": len(content)}


def _checked_tag(text: str) -> str:
    if not TAG.fullmatch(text):
        raise ServiceError("TAG_INVALID", f"{text!r} is not a tag", 400)
    return text
