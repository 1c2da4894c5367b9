"""List operations: from a request's filters to a page of records, and back to a response.

Filters that all listings share are known here by their members' names; a resource declares its others. A member that
is neither is refused by name, so that no listing holds what was not asked for.
"""

from dataclasses import replace
from typing import Any

from clary.control.call import Call
from clary.records.errors import InvalidToken
from clary.records.query import Page, Query, SortBy
from clary.services.sagemaker.errors import invalid, not_built
from clary.services.sagemaker.resources.declaration import Filter, Resource
from clary.services.sagemaker.resources.handling import told
from clary.services.sagemaker.resources.shapes import cut, list_member, summary_members

PAGE_SIZE = 10
"""Records on a page where the request has no MaxResults, as most operations document it."""

SHARED = {
    "NameContains": "name_contains",
    "CreationTimeAfter": "created_after",
    "CreatedAfter": "created_after",
    "CreationTimeBefore": "created_before",
    "CreatedBefore": "created_before",
    "LastModifiedTimeAfter": "modified_after",
    "ModifiedTimeAfter": "modified_after",
    "LastModifiedTimeBefore": "modified_before",
    "ModifiedTimeBefore": "modified_before",
    "StatusEquals": "status",
    "MaxResults": "max_results",
    "NextToken": "next_token",
}
"""Member of a request → field of a query."""

SORT_KEYS: dict[str, SortBy] = {
    "Name": "Name",
    "NAME": "Name",
    "CreationTime": "CreationTime",
    "CreateDate": "CreationTime",
    "CREATION_TIME": "CreationTime",
    "LastModifiedTime": "LastModifiedTime",
    "LAST_MODIFIED_TIME": "LastModifiedTime",
    "Status": "Status",
    "STATUS": "Status",
}


def list_resources(call: Call, resource: Resource, request: dict[str, Any], *, parent: str = "") -> dict[str, Any]:
    """The response of the resource's List operation; of the children of a record alone where its id is given."""
    operation = resource.list_operation
    query = query_of(resource, request)
    page = Page([], "") if query is None else _page(call, resource, replace(query, parent=parent))
    members = summary_members(operation)
    summaries = [cut(told(resource, record), members) for record in page.records]
    response: dict[str, Any] = {list_member(operation): summaries}
    if page.next_token:
        response["NextToken"] = page.next_token
    return response


def query_of(resource: Resource, request: dict[str, Any]) -> Query | None:
    """None where the resource's own filters leave nothing. Raises for a member that is not known here."""
    query: Query | None = Query(
        **{SHARED[member]: value for member, value in request.items() if member in SHARED} | _order(resource, request)
    )
    for member, value in request.items():
        if query is not None and member in resource.filters:
            query = resource.filters[member](query, value)
        elif member not in {*SHARED, *resource.filters, "SortBy", "SortOrder"}:
            raise not_built(f"{resource.list_operation} with {member}")
    return query


def _order(resource: Resource, request: dict[str, Any]) -> dict[str, Any]:
    key = request.get("SortBy", resource.sort_by)
    if key not in SORT_KEYS:
        raise not_built(f"{resource.list_operation} with SortBy {key}")
    return {
        "sort_by": SORT_KEYS[key],
        "descending": request.get("SortOrder", resource.order) == "Descending",
        "from_inclusive": resource.from_inclusive,
        "max_results": request.get("MaxResults", PAGE_SIZE),
    }


def _page(call: Call, resource: Resource, query: Query) -> Page:
    try:
        return call.house.records.list(resource.kind, call.scope, query)
    except InvalidToken:
        raise invalid("The NextToken is not valid for this request.") from None


def equal_member(member: str) -> Filter:
    """The filter that keeps to records whose document has the value as `member`."""
    return lambda query, value: replace(query, members=(*query.members, (member, value)))


def own_account_only(query: Query, option: str) -> Query | None:
    """The filter `CrossAccountFilterOption`: an account of Clary shares nothing with another."""
    return None if option == "CrossAccount" else query
