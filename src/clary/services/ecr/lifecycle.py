"""Lifecycle policies by ECR's API, and the sweep that acts on them.

each hour, for each repository with a policy ─▶ expiry.due ─▶ images.remove
           then ─▶ registry.sweep: uploads that were given up, blobs that no image names
"""

import logging
import threading
import time
from functools import partial
from typing import Any

from clary.control.call import Call
from clary.control.house import House
from clary.records.errors import NotFound, Stale
from clary.records.record import Record
from clary.registry import images
from clary.registry.errors import ImageInUse, ImageUnknown
from clary.services.ecr import operation
from clary.services.ecr.expiry import Due, due, read_policy
from clary.services.ecr.paging import page_of
from clary.services.ecr.repositories import REPOSITORY, find_repository
from clary.services.ecr.settings import about
from clary.wire.errors import ServiceError

log = logging.getLogger(__name__)

EVERY = 3600.0
"""Seconds between sweeps."""
POLICY = "lifecyclePolicyText"
_PREVIEWED = "lifecyclePolicyPreview"
_EVALUATED = "lastEvaluatedAt"


@operation("PutLifecyclePolicy")
def put_lifecycle_policy(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    repository, text = find_repository(call, request), request[POLICY]
    read_policy(text)
    call.house.records.update(repository, {**repository.document, POLICY: text})
    return {**about(repository), POLICY: text}


@operation("GetLifecyclePolicy")
def get_lifecycle_policy(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    return _policy(find_repository(call, request))


@operation("DeleteLifecyclePolicy")
def delete_lifecycle_policy(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    repository = find_repository(call, request)
    answer = _policy(repository)
    gone = (POLICY, _EVALUATED)
    kept = {name: value for name, value in repository.document.items() if name not in gone}
    call.house.records.update(repository, kept)
    return answer


@operation("StartLifecyclePolicyPreview")
def start_lifecycle_policy_preview(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    repository = find_repository(call, request)
    text = request.get(POLICY) or _policy(repository)[POLICY]
    read_policy(text)
    call.house.records.update(repository, {**repository.document, _PREVIEWED: text})
    return {**about(repository), POLICY: text, "status": "IN_PROGRESS"}


@operation("GetLifecyclePolicyPreview")
def get_lifecycle_policy_preview(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """What would go if the policy were acted on now."""
    repository = find_repository(call, request)
    text = repository.document.get(_PREVIEWED)
    if text is None:
        message = f"There is no lifecycle policy preview of the repository with name '{repository.name}'"
        raise ServiceError("LifecyclePolicyPreviewNotFoundException", message, 400)
    if "imageIds" in request:
        message = "GetLifecyclePolicyPreview with imageIds is not built in Clary yet."
        raise ServiceError("InvalidParameterException", message, 400)
    status = request.get("filter", {}).get("tagStatus", "ANY")
    found = _due(call.house, repository, text)
    entries = [
        ((each.priority, each.image.digest), _previewed(each))
        for each in found
        if status == "ANY" or (status == "TAGGED") == bool(each.tags)
    ]
    page = page_of(request, "previewResults", sorted(entries, key=lambda entry: entry[0]))
    summary = {"expiringImageTotalCount": len(found)}
    return {**about(repository), POLICY: text, "status": "COMPLETE", "summary": summary, **page}


def start_sweeping(house: House) -> None:
    """Sweep now and each hour, on a thread of its own."""
    threading.Thread(target=_keep_sweeping, args=(house,), name="registry", daemon=True).start()


def _keep_sweeping(house: House) -> None:
    while True:
        try:
            sweep(house)
        except Exception:
            log.exception("the sweep of the registry failed; it is tried again in an hour")
        time.sleep(EVERY)


def sweep(house: House) -> None:
    for repository in house.records.live(REPOSITORY):
        if POLICY in repository.document:
            _expire(house, repository)
    house.registry.sweep()


def _expire(house: House, repository: Record) -> None:
    for each in _due(house, repository, repository.document[POLICY]):
        try:
            house.registry.change(partial(images.remove, repository=repository.id, digest=each.image.digest))
        except (ImageInUse, ImageUnknown):
            continue  # an index names it, and goes first; or somebody else was quicker
        log.info("the image %s@%s is expired by rule %d", repository.name, each.image.digest, each.priority)
    try:
        house.records.update(repository, {**repository.document, _EVALUATED: time.time()})
    except (NotFound, Stale):
        return


def _due(house: House, repository: Record, text: str) -> list[Due]:
    tagged = house.registry.view(partial(images.listed_with_tags, repository=repository.id))
    return due(read_policy(text), tagged, time.time())


def _previewed(each: Due) -> dict[str, Any]:
    return {
        "imageDigest": each.image.digest,
        "imageTags": each.tags or None,
        "imagePushedAt": each.image.pushed,
        "action": {"type": "EXPIRE"},
        "appliedRulePriority": each.priority,
    }


def _policy(repository: Record) -> dict[str, Any]:
    if POLICY not in repository.document:
        message = (
            f"Lifecycle policy does not exist for the repository with name '{repository.name}' in the registry "
            f"with id '{repository.scope.account}'"
        )
        raise ServiceError("LifecyclePolicyNotFoundException", message, 400)
    told = {name: repository.document[name] for name in (POLICY, _EVALUATED) if name in repository.document}
    return {**about(repository), **told}
