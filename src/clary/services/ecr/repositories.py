"""Repositories: the records, what they are called, and where clients find them."""

import re
from typing import Any
from urllib.parse import urlsplit

from clary.arns import regional_arn
from clary.control.call import Call
from clary.records.record import Kind, Record, Scope, State
from clary.records.store import Records
from clary.wire.errors import ServiceError

ACTIVE = State("Active")
REPOSITORY = Kind("repository", live=frozenset({ACTIVE.status}))  # the sweep of images looks after all of them

MUTABLE = "MUTABLE"
_DESCRIBED = (
    "imageTagMutability",
    "imageTagMutabilityExclusionFilters",
    "imageScanningConfiguration",
    "encryptionConfiguration",
)

_REGISTRY_HOST = re.compile(
    r"(?P<account>\d{12})\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)"
    r"\.(?:amazonaws\.com(?:\.cn)?|on\.aws)(?::\d+)?"
)
_AWS_HOST = re.compile(r".*\.(amazonaws\.com(\.cn)?|aws)(:\d+)?")


def read_host(host: str) -> Scope | None:
    """Whose registry, in which region, has this address on AWS; None for any other address."""
    match = _REGISTRY_HOST.fullmatch(host.lower())
    return match and Scope(match["account"], match["region"])


def own_scope(call: Call, request: dict[str, Any]) -> Scope | None:
    """None where the request names the registry of another account, of which none is here."""
    own = request.get("registryId", call.scope.account) == call.scope.account
    return call.scope if own else None


def find_repository(call: Call, request: dict[str, Any]) -> Record:
    """The repository that a request names; raises `RepositoryNotFoundException`."""
    return named_repository(call, request, request["repositoryName"])


def named_repository(call: Call, request: dict[str, Any], name: str) -> Record:
    scope = own_scope(call, request)
    found = find_named(call.house.records, scope, name) if scope else None
    if found is None:
        registry = request.get("registryId", call.scope.account)
        raise ServiceError("RepositoryNotFoundException", not_found(name, registry), 400)
    return found


def find_named(records: Records, scope: Scope, name: str) -> Record | None:
    return records.find(REPOSITORY, scope, name)


def not_found(name: str, registry: str) -> str:
    return f"The repository with name '{name}' does not exist in the registry with id '{registry}'"


def repository_arn(scope: Scope, name: str) -> str:
    return regional_arn("ecr", scope.region, scope.account, f"repository/{name}")


def registry_host(call: Call) -> str:
    """Where clients push to and pull from: AWS's own address where the caller used one of AWS's (by a proxy, or a name
    server of its own), else the one at which it found Clary."""
    host = urlsplit(call.endpoint).netloc
    if not _AWS_HOST.fullmatch(host.lower()):
        return host
    suffix = ".cn" if call.scope.region.startswith("cn-") else ""
    return f"{call.scope.account}.dkr.ecr.{call.scope.region}.amazonaws.com{suffix}"


def registry_url(call: Call) -> str:
    host = registry_host(call)
    return f"https://{host}" if _AWS_HOST.fullmatch(host) else f"http://{host}"


def principal_of(call: Call) -> str | None:
    """Whom a password stands for, as the keys of the account know it: None is the account itself."""
    return None if call.principal.endswith(":root") else call.principal


def described(call: Call, repository: Record) -> dict[str, Any]:
    return {
        "repositoryArn": repository.arn,
        "registryId": repository.scope.account,
        "repositoryName": repository.name,
        "repositoryUri": f"{registry_host(call)}/{repository.name}",
        "createdAt": repository.created,
        **{name: repository.document[name] for name in _DESCRIBED if name in repository.document},
    }
