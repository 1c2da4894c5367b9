"""Image identifiers of requests: a tag, a digest, or both of one image."""

from typing import Any

from sqlalchemy import Connection

from clary.records.record import Record
from clary.registry import images
from clary.registry.errors import DigestInvalid, ImageUnknown
from clary.registry.manifests import checked_digest
from clary.wire.errors import ServiceError


class Unresolved(Exception):
    """No image is meant by it; `code` is one of ECR's failure codes."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


def resolve(connection: Connection, repository: Record, image_id: dict[str, str]) -> str:
    """The digest of the image that is meant. Raises `Unresolved`."""
    tag, digest = image_id.get("imageTag"), image_id.get("imageDigest")
    if tag is None and digest is None:
        raise Unresolved("MissingDigestAndTag", "Invalid request parameters: both tag and digest cannot be null")
    try:
        if digest is not None:
            checked_digest(digest)
        found = images.resolve(connection, repository.id, digest or tag or "")
    except DigestInvalid:
        raise Unresolved("InvalidImageDigest", f"Invalid request parameters: image digest {digest}") from None
    except ImageUnknown:
        raise Unresolved("ImageNotFound", "Requested image not found") from None
    if digest and tag and images.tagged(connection, repository.id, tag) != digest:
        raise Unresolved("ImageTagDoesNotMatchDigest", f"Tag {tag} does not match digest {digest}")
    return found


def failure(image_id: dict[str, str], error: Unresolved) -> dict[str, Any]:
    return {"imageId": image_id, "failureCode": error.code, "failureReason": str(error)}


def image_not_found(repository: Record, image_id: dict[str, str]) -> ServiceError:
    digest, tag = image_id.get("imageDigest", "null"), image_id.get("imageTag", "null")
    return ServiceError(
        "ImageNotFoundException",
        f"The image with imageId {{imageDigest:'{digest}', imageTag:'{tag}'}} does not exist within the repository "
        f"with name '{repository.name}' in the registry with id '{repository.scope.account}'",
        400,
    )
