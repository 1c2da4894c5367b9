"""Images: put, got, listed, described and deleted by ECR's API."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from sqlalchemy import Connection

from clary.control.call import Call
from clary.records.record import Record
from clary.registry import errors, images
from clary.registry.images import Image
from clary.registry.manifests import TAG, Manifest, read_manifest
from clary.services.ecr import operation
from clary.services.ecr.identifiers import Unresolved, failure, image_not_found, resolve
from clary.services.ecr.paging import page_of
from clary.services.ecr.pushing import push_image
from clary.services.ecr.repositories import find_repository
from clary.wire.errors import ServiceError

_KEPT = ("ACTIVE", "ANY")
"""Statuses that an image here has; none is archived."""


@operation("PutImage")
def put_image(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    repository, tag = find_repository(call, request), request.get("imageTag")
    content = request["imageManifest"].encode()
    if tag is not None and not TAG.fullmatch(tag):
        raise _invalid("ImageTag", f"{tag!r} is not a tag")
    with _errors_of_pushing(repository, tag):
        manifest = read_manifest(content, request.get("imageManifestMediaType", ""))
        _check_digest(request, manifest)
        push_image(call.house, repository, manifest, content, tag, repeatable=False)
    described = _identified(repository, manifest.digest, tag)
    return {"image": _with_manifest(described, content, manifest.media_type)}


@operation("BatchGetImage")
def batch_get_image(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    repository = find_repository(call, request)
    accepted = request.get("acceptedMediaTypes")
    found, failures = [], []

    def read(connection: Connection) -> None:
        for image_id in request["imageIds"]:
            try:
                digest = resolve(connection, repository, image_id)
                image, content = images.find(connection, repository.id, digest)
                if accepted and image.media_type not in accepted:
                    raise Unresolved("ImageNotFound", f"Requested image is of the type {image.media_type}")
            except Unresolved as error:
                failures.append(failure(image_id, error))
                continue
            described = _identified(repository, digest, image_id.get("imageTag"))
            found.append(_with_manifest(described, content, image.media_type))

    call.house.registry.view(read)
    return {"images": found, "failures": failures}


@operation("BatchDeleteImage")
def batch_delete_image(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    repository = find_repository(call, request)

    def remove(connection: Connection) -> dict[str, Any]:
        removed, failures = [], []
        for image_id in request["imageIds"]:
            try:
                removed += _remove(connection, repository, image_id)
            except Unresolved as error:
                failures.append(failure(image_id, error))
        return {"imageIds": removed, "failures": failures}

    return call.house.registry.change(remove)


def _remove(connection: Connection, repository: Record, image_id: dict[str, str]) -> list[dict[str, str]]:
    """Who names a tag removes that, and the image with its last one; who names a digest alone removes the image."""
    digest, tag = resolve(connection, repository, image_id), image_id.get("imageTag")
    if tag is not None:
        images.untag(connection, repository.id, tag)
    try:
        if tag is None or digest not in images.tags_of(connection, repository.id).values():
            removed = images.remove(connection, repository.id, digest)
            return [{"imageDigest": digest, "imageTag": each} for each in removed] or [
                {"imageDigest": digest, **({} if tag is None else {"imageTag": tag})}
            ]
    except errors.ImageInUse as error:
        if tag is None:
            raise Unresolved("ImageReferencedByManifestList", str(error)) from None
    return [{"imageDigest": digest, "imageTag": tag or ""}]


@operation("ListImages")
def list_images(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    repository = find_repository(call, request)
    entries = []
    for image, tags in _chosen(call, repository, request.get("filter", {})):
        for tag in tags or [""]:
            entries.append(((image.digest, tag), {"imageDigest": image.digest, "imageTag": tag or None}))
    return page_of(request, "imageIds", sorted(entries, key=lambda entry: entry[0]))


@operation("DescribeImages")
def describe_images(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    repository = find_repository(call, request)
    chosen = _chosen(call, repository, request.get("filter", {}))
    if image_ids := request.get("imageIds"):
        if "maxResults" in request or "nextToken" in request:
            raise _invalid("MaxResults", "a page cannot be asked for together with imageIds")
        wanted = call.house.registry.view(partial(_resolve_all, repository=repository, image_ids=image_ids))
        return {"imageDetails": [_described(repository, *each) for each in chosen if each[0].digest in wanted]}
    entries = [((image.pushed, image.digest), _described(repository, image, tags)) for image, tags in chosen]
    return page_of(request, "imageDetails", entries)


@operation("ListImageReferrers")
def list_image_referrers(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    repository, subject = find_repository(call, request), request["subjectId"]["imageDigest"]
    chosen = request.get("filter", {})
    found = call.house.registry.view(partial(images.referrers, repository=repository.id, subject=subject))
    types = chosen.get("artifactTypes")
    entries = [
        (
            (image.digest,),
            {
                "digest": image.digest,
                "mediaType": image.media_type,
                "artifactType": image.artifact_type,
                "size": size,
                "annotations": image.annotations,
                "artifactStatus": "ACTIVE",
            },
        )
        for image, size in found
        if (not types or image.artifact_type in types) and chosen.get("artifactStatus", "ACTIVE") in _KEPT
    ]
    return page_of(request, "referrers", entries)


def _chosen(call: Call, repository: Record, chosen: dict[str, str]) -> list[tuple[Image, list[str]]]:
    """The images that a filter lets pass, in the order in which they came, with their tags."""
    if chosen.get("imageStatus", "ACTIVE") not in _KEPT:
        return []
    status = chosen.get("tagStatus", "ANY")
    found = call.house.registry.view(partial(images.listed_with_tags, repository=repository.id))
    return [(image, tags) for image, tags in found if status == "ANY" or (status == "TAGGED") == bool(tags)]


def _resolve_all(connection: Connection, repository: Record, image_ids: list[dict[str, str]]) -> set[str]:
    wanted = set()
    for image_id in image_ids:
        try:
            wanted.add(resolve(connection, repository, image_id))
        except Unresolved:
            raise image_not_found(repository, image_id) from None
    return wanted


def _identified(repository: Record, digest: str, tag: str | None) -> dict[str, Any]:
    return {
        "registryId": repository.scope.account,
        "repositoryName": repository.name,
        "imageId": {"imageDigest": digest, "imageTag": tag},
    }


def _with_manifest(identified: dict[str, Any], content: bytes, media_type: str) -> dict[str, Any]:
    return {**identified, "imageManifest": content.decode(), "imageManifestMediaType": media_type}


def _described(repository: Record, image: Image, tags: list[str]) -> dict[str, Any]:
    return {
        "registryId": repository.scope.account,
        "repositoryName": repository.name,
        "imageDigest": image.digest,
        "imageTags": tags or None,
        "imageSizeInBytes": image.size,
        "imagePushedAt": image.pushed,
        "imageManifestMediaType": image.media_type,
        "artifactMediaType": image.artifact_type or None,
        "lastRecordedPullTime": image.pulled,
        "subjectManifestDigest": image.subject,
        "imageStatus": "ACTIVE",
    }


def _check_digest(request: dict[str, Any], manifest: Manifest) -> None:
    given = request.get("imageDigest")
    if given is not None and given != manifest.digest:
        message = f"Image digest does not match: the manifest has {manifest.digest}, not {given}"
        raise ServiceError("ImageDigestDoesNotMatchException", message, 400)


@contextmanager
def _errors_of_pushing(repository: Record, tag: str | None) -> Iterator[None]:
    try:
        yield
    except errors.ManifestInvalid as error:
        raise _invalid("ImageManifest", str(error)) from None
    except errors.ImageExists as error:
        where = f"in the repository with name '{repository.name}' in registry with id '{repository.scope.account}'"
        raise ServiceError("ImageAlreadyExistsException", f"{error} {where}", 400) from None
    except errors.TagImmutable:
        raise ServiceError("ImageTagAlreadyExistsException", immutable(repository, tag or ""), 400) from None
    except errors.ImagesMissing as error:
        message = f"Images with digests '{error.digests}' required for pushing image do not exist"
        raise ServiceError("ReferencedImagesNotFoundException", message, 400) from None
    except errors.BlobsMissing as error:
        message = f"Layers with digests '{error.digests}' required for pushing image do not exist"
        raise ServiceError("LayersNotFoundException", message, 400) from None


def immutable(repository: Record, tag: str) -> str:
    return (
        f"The image tag '{tag}' already exists in the '{repository.name}' repository and cannot be overwritten "
        "because the tag is immutable."
    )


def _invalid(parameter: str, reason: str) -> ServiceError:
    message = f"Invalid parameter at '{parameter}' failed to satisfy constraint: '{reason}'"
    return ServiceError("InvalidParameterException", message, 400)
