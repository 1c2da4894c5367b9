"""What is kept of a repository: how its tags move, its policy, its scanning, its tags.

Nothing is scanned, and no policy is asked: whoever has keys of the account may push and pull.
"""

import json
from typing import Any

from clary.control.call import Call
from clary.records.errors import NotFound, TooManyTags
from clary.records.record import Record
from clary.services.ecr import operation
from clary.services.ecr.repositories import find_repository, not_found
from clary.wire.errors import ServiceError

POLICY = "policyText"
_FILTERS = "imageTagMutabilityExclusionFilters"


@operation("PutImageTagMutability")
def put_image_tag_mutability(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    repository = find_repository(call, request)
    chosen = {name: request[name] for name in ("imageTagMutability", _FILTERS) if name in request}
    kept = {name: value for name, value in repository.document.items() if name != _FILTERS}
    call.house.records.update(repository, {**kept, **chosen})
    return {**about(repository), **chosen}


@operation("PutImageScanningConfiguration")
def put_image_scanning_configuration(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    repository = find_repository(call, request)
    chosen = {"imageScanningConfiguration": {"scanOnPush": False, **request["imageScanningConfiguration"]}}
    call.house.records.update(repository, {**repository.document, **chosen})
    return {**about(repository), **chosen}


@operation("SetRepositoryPolicy")
def set_repository_policy(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    repository, text = find_repository(call, request), request[POLICY]
    try:
        policy = json.loads(text)
    except (ValueError, RecursionError):
        policy = None
    if not isinstance(policy, dict) or "Statement" not in policy:
        message = "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided'"
        raise ServiceError("InvalidParameterException", message, 400)
    call.house.records.update(repository, {**repository.document, POLICY: text})
    return {**about(repository), POLICY: text}


@operation("GetRepositoryPolicy")
def get_repository_policy(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    repository = find_repository(call, request)
    return {**about(repository), POLICY: _policy(repository)}


@operation("DeleteRepositoryPolicy")
def delete_repository_policy(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    repository = find_repository(call, request)
    text = _policy(repository)
    kept = {name: value for name, value in repository.document.items() if name != POLICY}
    call.house.records.update(repository, kept)
    return {**about(repository), POLICY: text}


@operation("TagResource")
def tag_resource(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    repository = _of_arn(call, request)
    try:
        call.house.records.add_tags(repository, {tag["Key"]: tag["Value"] for tag in request["tags"]})
    except TooManyTags:
        raise ServiceError("TooManyTagsException", "A repository can have no more than 50 tags.", 400) from None
    return {}


@operation("UntagResource")
def untag_resource(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    call.house.records.remove_tags(_of_arn(call, request), request["tagKeys"])
    return {}


@operation("ListTagsForResource")
def list_tags_for_resource(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    tags = call.house.records.tags(_of_arn(call, request))
    return {"tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


@operation("DescribeRegistry")
def describe_registry(call: Call, _request: dict[str, Any]) -> dict[str, Any]:
    return {"registryId": call.scope.account, "replicationConfiguration": {"rules": []}}


def about(repository: Record) -> dict[str, str]:
    return {"registryId": repository.scope.account, "repositoryName": repository.name}


def _policy(repository: Record) -> str:
    text: str | None = repository.document.get(POLICY)
    if text is None:
        message = (
            f"Repository policy does not exist for the repository with name '{repository.name}' in the registry "
            f"with id '{repository.scope.account}'"
        )
        raise ServiceError("RepositoryPolicyNotFoundException", message, 400)
    return text


def _of_arn(call: Call, request: dict[str, Any]) -> Record:
    arn = request["resourceArn"]
    _, separator, name = arn.partition(":repository/")
    if not separator:
        message = f"Invalid parameter at 'resourceArn' failed to satisfy constraint: '{arn} is no repository's'"
        raise ServiceError("InvalidParameterException", message, 400)
    try:
        return call.house.records.by_arn(arn)
    except NotFound:
        raise ServiceError("RepositoryNotFoundException", not_found(name, call.scope.account), 400) from None
