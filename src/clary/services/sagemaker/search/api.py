"""Search and GetSearchSuggestions."""

from typing import Any

from clary.control.call import Call
from clary.records.errors import InvalidToken
from clary.records.search.page import Results, Search
from clary.records.search.searchable import SEARCHABLE, Searchable
from clary.services.sagemaker import operation
from clary.services.sagemaker.errors import invalid, not_built
from clary.services.sagemaker.resources.listing import PAGE_SIZE
from clary.services.sagemaker.search.declaring import COMPLETIONS
from clary.services.sagemaker.search.expressions import expression_of, order_of
from clary.services.sagemaker.search.properties import named_groups


@operation("Search")
def search(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    declared = _declared(request["Resource"])
    asked = Search(
        declared,
        call.scope,
        expression_of(declared, request),
        order_of(declared, request),
        request.get("MaxResults", PAGE_SIZE),
        request.get("NextToken", ""),
    )
    if request.get("CrossAccountFilterOption") == "CrossAccount":
        # An account of Clary shares nothing with another.
        return _response(declared, Results([], "", 0, True))
    try:
        found = call.house.search.search(asked)
    except InvalidToken:
        raise invalid("The NextToken is not valid for this request.") from None
    if declared.resource in COMPLETIONS:
        COMPLETIONS[declared.resource](call, found.documents)
    return _response(declared, found)


@operation("GetSearchSuggestions")
def get_search_suggestions(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Names that are the users' own: of hyperparameters, metrics and tags."""
    declared = _declared(request["Resource"])
    hint = request.get("SuggestionQuery", {}).get("PropertyNameQuery", {}).get("PropertyNameHint", "")
    prefixes = []
    for group in named_groups(declared):
        if f"{group}.".startswith(hint):
            prefixes.append(f"{group}.")
        elif hint.startswith(f"{group}."):
            prefixes.append(hint)
    names = call.house.search.suggest(declared.kind, call.scope, prefixes) if prefixes else []
    return {"PropertyNameSuggestions": [{"PropertyName": name} for name in names]}


def _declared(resource: str) -> Searchable:
    found = next((declared for declared in SEARCHABLE.values() if declared.resource == resource), None)
    if found is None:
        raise not_built(f"Search of {resource}")
    return found


def _response(declared: Searchable, found: Results) -> dict[str, Any]:
    member = declared.member or declared.resource
    response: dict[str, Any] = {
        "Results": [{member: document} for document in found.documents],
        "TotalHits": {
            "Value": found.total,
            "Relation": "EqualTo" if found.is_exact else "GreaterThanOrEqualTo",
        },
    }
    if found.next_token:
        response["NextToken"] = found.next_token
    return response
