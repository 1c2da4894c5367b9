"""List* operations: from a request's filters to a page of records, and back to a response.

A resource family says what its summary is, and which order its operation documents where that is not the
usual:

    @operation("ListTrainingJobs")
    def list_training_jobs(call, request):
        return list_records(call, TRAINING_JOB, request, "TrainingJobSummaries", _summary, order="Ascending")
"""

from collections.abc import Callable
from typing import Any, Literal

from clary.control.call import Call
from clary.records.errors import InvalidToken
from clary.records.query import Query, SortBy
from clary.records.record import Kind, Record
from clary.wire.errors import ServiceError

PAGE_SIZE = 10
"""Records on a page where the request has no MaxResults, as most operations document it."""


def list_records(
    call: Call,
    kind: Kind,
    request: dict[str, Any],
    member: str,
    summary: Callable[[Record], dict[str, Any]],
    *,
    sort_by: SortBy = "CreationTime",
    order: Literal["Ascending", "Descending"] = "Descending",
) -> dict[str, Any]:
    """The response, with the summaries as `member`. `sort_by` and `order` hold where the request names
    none."""
    query = Query(
        name_contains=request.get("NameContains", ""),
        created_after=request.get("CreationTimeAfter"),
        created_before=request.get("CreationTimeBefore"),
        modified_after=request.get("LastModifiedTimeAfter"),
        modified_before=request.get("LastModifiedTimeBefore"),
        status=request.get("StatusEquals", ""),
        sort_by=request.get("SortBy", sort_by),
        descending=request.get("SortOrder", order) == "Descending",
        max_results=request.get("MaxResults", PAGE_SIZE),
        next_token=request.get("NextToken", ""),
    )
    try:
        page = call.house.records.list(kind, call.scope, query)
    except InvalidToken:
        raise ServiceError("ValidationException", "The NextToken is not valid for this request.") from None
    response: dict[str, Any] = {member: [summary(record) for record in page.records]}
    if page.next_token:
        response["NextToken"] = page.next_token
    return response
