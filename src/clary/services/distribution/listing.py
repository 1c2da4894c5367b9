"""What there is: the version of the protocol, repositories, tags."""

from functools import partial
from typing import Any

from clary.control.call import Call
from clary.records.query import Query
from clary.registry import images
from clary.services.distribution import operation
from clary.services.distribution.requests import (
    MOST_ENTRIES,
    link_to_next,
    page_size,
    repository_of,
    scope_of,
)
from clary.services.ecr.repositories import REPOSITORY


@operation("CheckVersion")
def check_version(_call: Call, _request: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "registry/2.0"}


@operation("ListRepositories")
def list_repositories(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    names = [name for name in _names(call) if name > request.get("After", "")]
    return _page(names, page_size(request), "/v2/_catalog", "repositories")


@operation("ListTags")
def list_tags(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    repository, most = repository_of(call, request["Name"]), page_size(request)
    after = request.get("After", "")
    found = call.house.registry.view(partial(images.tags_after, repository=repository.id, after=after, most=most + 1))
    return {"name": repository.name, **_page(found, most, f"/v2/{repository.name}/tags/list", "tags")}


def _page(found: list[str], most: int, path: str, member: str) -> dict[str, Any]:
    """The first `most` of `found`, as `member`, and where there are more, the way to them."""
    page = found[:most]
    link = {"Link": link_to_next(path, most, page[-1])} if page and len(found) > most else {}
    return {member: page, **link}


def _names(call: Call) -> list[str]:
    names: list[str] = []
    query = Query(sort_by="Name", max_results=MOST_ENTRIES)
    scope = scope_of(call)
    while scope.account == call.scope.account:
        page = call.house.records.list(REPOSITORY, scope, query)
        names += [record.name for record in page.records]
        if not page.next_token:
            break
        query = Query(sort_by="Name", max_results=MOST_ENTRIES, next_token=page.next_token)
    return names
