"""What becomes of a manifest that somebody pushes, by whichever protocol."""

from fnmatch import fnmatchcase

from clary.control.house import House
from clary.records.record import Record
from clary.registry import images
from clary.registry.manifests import Manifest


def push_image(
    house: House, repository: Record, manifest: Manifest, content: bytes, tag: str | None, repeatable: bool = True
) -> None:
    """Raises what `images.put` does."""
    movable = tag is None or is_movable(repository, tag)
    house.registry.change(
        lambda connection: images.put(connection, repository.id, manifest, content, tag, movable, repeatable)
    )


def is_movable(repository: Record, tag: str) -> bool:
    """Whether a tag that names one image may come to name another."""
    mutability: str = repository.document["imageTagMutability"]
    filters = repository.document.get("imageTagMutabilityExclusionFilters", [])
    excluded = any(fnmatchcase(tag, each["filter"]) for each in filters)
    return mutability.startswith("MUTABLE") != excluded
