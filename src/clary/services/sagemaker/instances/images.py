"""The image of a request: from its URI to what an instance is told of it.

    URI ─▶ a repository of the platform's registry? ─▶ OciImage, which runs as `docker run` runs it
        ├▶ a row of the table (`clary.images`) ─▶ Recipe of its environment, and a command of Clary's own
        └▶ where the engine has images pulled: OciImage of that name alone

The registry is the account's: `<account>.dkr.ecr.<region>.amazonaws.com`, or the platform's own address. A repository
in it wins over the table.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from clary.control.house import House
from clary.images.table import Image, UnknownImage, find_image
from clary.instance.environments.recipe import Recipe
from clary.instance.own_images.oci import OciImage
from clary.records.record import Scope
from clary.services.ecr import lookup
from clary.services.ecr.repositories import find_named, read_host

URI = re.compile(
    r"(?P<host>[^/]+)/(?P<repository>[a-z0-9][a-z0-9._/-]*)(?::(?P<tag>[\w.-]+))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
MISSING = "Cannot pull algorithm container. Either the image {uri} does not exist or its permissions are incorrect."
"""Of a job; of a model it is:"""
MISSING_MODEL = "Requested image {uri} not found."
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True, slots=True)
class Program:
    """What an instance is told of its image, and of what runs in it."""

    command: list[str]
    image: Recipe | None = None
    container: OciImage | None = None


@dataclass(frozen=True, slots=True)
class _Named:
    """A repository of the platform's own registry, as a URI names it."""

    scope: Scope
    repository: str
    reference: str


def own_program(
    image: OciImage, entrypoint: Sequence[str] | None, arguments: Sequence[str] | None, usual: Sequence[str]
) -> Program:
    """`docker run [--entrypoint …] IMAGE arguments`, where the usual ones follow an ENTRYPOINT that is the image's."""
    if entrypoint:
        return Program(list(arguments or []), container=replace(image, entrypoint=list(entrypoint)))
    return Program(list(arguments or usual), container=image)


def own_image(house: House, scope: Scope, uri: str, missing: str) -> OciImage | None:
    """The image of the platform's registry that `uri` names, or of another, where the engine has that pulled; None
    where the table is to be asked for it. Raises `UnknownImage` where the repository is there and the image is not;
    `missing` says that in AWS's words."""
    named = _named(house, scope, uri)
    if named is None or find_named(house.records, named.scope, named.repository) is None:
        return OciImage.named(uri) if _is_pulled(house, uri) else None
    try:
        found = lookup.find_image(house, named.scope, named.repository, named.reference)
    except lookup.NoSuchPlatform as error:
        raise UnknownImage(f"{uri} cannot run on this machine: {error}.") from None
    if found is None:
        raise UnknownImage(missing.format(uri=uri))
    return OciImage(uri, found.digest, found.config, found.layers)


def pinned(house: House, scope: Scope, uri: str) -> str:
    """`uri` with the digest of what it names now, whatever its tag comes to name; as it is where that is nothing, or is
    not the registry's."""
    try:
        image = own_image(house, scope, uri, MISSING_MODEL)
    except UnknownImage:
        return uri
    return f"{uri}@{image.digest}" if image and image.digest and "@" not in uri else uri


def is_own(house: House, scope: Scope, uri: str) -> bool:
    """Whether `uri` names no image of the table, but one that `own_image` finds."""
    named = _named(house, scope, uri)
    if named is not None and find_named(house.records, named.scope, named.repository) is not None:
        return True
    return _is_pulled(house, uri)


def listed_image(house: House, scope: Scope, uri: str, missing: str) -> Image:
    """The table's; raises `UnknownImage`, with AWS's words where the image would be the account's own."""
    try:
        return find_image(uri)
    except UnknownImage as error:
        if _named(house, scope, uri) is None:
            raise
        raise UnknownImage(f"{missing.format(uri=uri)} Push it to a repository of this account. {error}") from None


def _is_pulled(house: House, uri: str) -> bool:
    if not house.engine.pulls or not uri:
        return False
    try:
        find_image(uri)
    except UnknownImage:
        return True
    return False


def _named(house: House, scope: Scope, uri: str) -> _Named | None:
    match = URI.fullmatch(uri)
    if not match:
        return None
    found = read_host(match["host"]) or (scope if _is_own_address(house, match["host"]) else None)
    if found is None or found.account != scope.account:
        return None
    return _Named(found, match["repository"], match["digest"] or match["tag"] or lookup.DEFAULT_TAG)


def _is_own_address(house: House, host: str) -> bool:
    settings = house.settings
    names = {f"{name}:{settings.port}" for name in (settings.host, *LOOPBACK)}
    return host in {*names, urlsplit(settings.url).netloc, urlsplit(settings.advertise or "").netloc}
