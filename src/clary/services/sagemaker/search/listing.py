"""Listings by what records say, where columns do not have it: they walk the index of Search."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from clary.control.call import Call
from clary.records.errors import InvalidToken
from clary.records.record import Record
from clary.records.search.expression import AllOf, Expression, Within
from clary.records.search.order import Order
from clary.records.search.page import Results, Search
from clary.records.search.searchable import SEARCHABLE, Document
from clary.services.sagemaker.errors import invalid
from clary.services.sagemaker.resources.declaration import Resource
from clary.services.sagemaker.resources.handling import told
from clary.services.sagemaker.resources.listing import PAGE_SIZE
from clary.services.sagemaker.resources.shapes import cut, list_member, summary_members

CREATED = "CreationTime"
MOST = 100
"""Records that are read at once."""


def list_found(call: Call, resource: Resource, request: dict[str, Any], where: Expression) -> dict[str, Any]:
    """The response of the resource's List operation: the records for which the expression holds, within the request's
    times of creation, by `CreationTime`, `Name` or a text."""
    created = Within(
        CREATED, request.get("CreatedAfter"), request.get("CreatedBefore"), with_low=False, with_high=False
    )
    operation = resource.list_operation
    found = _search(
        call,
        resource,
        AllOf((where, created)),
        _order(resource, request),
        request.get("MaxResults", PAGE_SIZE),
        request.get("NextToken", ""),
    )
    members = summary_members(operation)
    response: dict[str, Any] = {list_member(operation): [cut(document, members) for document in found.documents]}
    if found.next_token:
        response["NextToken"] = found.next_token
    return response


def find_first(call: Call, resource: Resource, where: Expression) -> Document | None:
    """What is told of one record for which the expression holds; None where there is none."""
    documents = _search(call, resource, where, Order(CREATED), 1, "").documents
    return documents[0] if documents else None


def find_all(call: Call, resource: Resource, where: Expression) -> Iterator[Document]:
    """What is told of each record for which the expression holds, the oldest first, read as it is asked for."""
    token = ""
    while True:
        found = _search(call, resource, where, Order(CREATED, descending=False), MOST, token)
        yield from found.documents
        token = found.next_token
        if not token:
            return


def _order(resource: Resource, request: dict[str, Any]) -> Order:
    descending = request.get("SortOrder", resource.order) == "Descending"
    by = request.get("SortBy", CREATED)
    if by == CREATED:
        return Order(CREATED, descending=descending)
    return Order(resource.name_member if by == "Name" else by, "texts", descending)


def _search(call: Call, resource: Resource, where: Expression, order: Order, size: int, token: str) -> Results:
    def describe(record: Record) -> Document:
        return told(resource, record)

    declared = replace(SEARCHABLE[resource.kind.name], describe=describe)
    try:
        return call.house.search.search(Search(declared, call.scope, where, order, size, token))
    except InvalidToken:
        raise invalid("The NextToken is not valid for this request.") from None
