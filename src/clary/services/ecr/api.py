"""Repositories and the log-in to their registry."""

from base64 import b64encode
from typing import Any

from clary.control.call import Call
from clary.records.errors import AlreadyExists, InvalidToken, TooManyTags
from clary.records.query import Query
from clary.registry import images
from clary.services.ecr import operation
from clary.services.ecr.repositories import (
    ACTIVE,
    MUTABLE,
    REPOSITORY,
    described,
    find_repository,
    named_repository,
    own_scope,
    principal_of,
    registry_url,
    repository_arn,
)
from clary.wire.errors import ServiceError
from clary.wire.passwords import USER

PASSWORD_SECONDS = 12 * 3600
PAGE_SIZE = 100


@operation("CreateRepository")
def create_repository(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    name, scope = request["repositoryName"], own_scope(call, request)
    if scope is None:
        raise ServiceError("InvalidParameterException", f"The registry {request['registryId']} is not yours.", 400)
    document = {
        "imageTagMutability": request.get("imageTagMutability", MUTABLE),
        "imageScanningConfiguration": {"scanOnPush": False, **request.get("imageScanningConfiguration", {})},
        "encryptionConfiguration": request.get("encryptionConfiguration", {"encryptionType": "AES256"}),
    }
    if filters := request.get("imageTagMutabilityExclusionFilters"):
        document["imageTagMutabilityExclusionFilters"] = filters
    tags = {tag["Key"]: tag["Value"] for tag in request.get("tags", [])}
    try:
        made = call.house.records.create(
            REPOSITORY, scope, name, repository_arn(scope, name), document, ACTIVE, tags=tags
        )
    except AlreadyExists:
        message = f"The repository with name '{name}' already exists in the registry with id '{scope.account}'"
        raise ServiceError("RepositoryAlreadyExistsException", message, 400) from None
    except TooManyTags:
        raise ServiceError("TooManyTagsException", "A repository can have no more than 50 tags.", 400) from None
    return {"repository": described(call, made)}


@operation("DescribeRepositories")
def describe_repositories(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    if names := request.get("repositoryNames"):
        if "nextToken" in request or "maxResults" in request:
            message = "nextToken and maxResults cannot be used together with repositoryNames."
            raise ServiceError("InvalidParameterException", message, 400)
        return {"repositories": [described(call, named_repository(call, request, name)) for name in names]}
    scope = own_scope(call, request)
    if scope is None:
        return {"repositories": []}
    most = request.get("maxResults", PAGE_SIZE)
    query = Query(sort_by="Name", max_results=most, next_token=request.get("nextToken", ""))
    try:
        page = call.house.records.list(REPOSITORY, scope, query)
    except InvalidToken:
        raise ServiceError("InvalidParameterException", "The specified nextToken is invalid.", 400) from None
    token = {"nextToken": page.next_token} if page.next_token else {}
    return {"repositories": [described(call, each) for each in page.records], **token}


@operation("DeleteRepository")
def delete_repository(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    repository, registry = find_repository(call, request), call.house.registry
    with call.house.records.together() as connection:
        if not request.get("force") and not images.is_empty(connection, repository.id):
            raise ServiceError(
                "RepositoryNotEmptyException",
                f"The repository with name '{repository.name}' in registry with id '{repository.scope.account}' "
                "cannot be deleted because it still contains images",
                400,
            )
        call.house.records.delete(repository)
        registry.forget(repository.id)
    return {"repository": described(call, repository)}


@operation("GetAuthorizationToken")
def get_authorization_token(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    region = call.scope.region
    password, until = call.house.keys.issue_password(principal_of(call), region, PASSWORD_SECONDS)
    token = {
        "authorizationToken": b64encode(f"{USER}:{password}".encode()).decode(),
        "expiresAt": until,
        "proxyEndpoint": registry_url(call),
    }
    return {"authorizationData": [token for _ in request.get("registryIds", [None])]}
