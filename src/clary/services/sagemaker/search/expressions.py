"""A request's SearchExpression, VisibilityConditions and sorting, as the index knows them."""

from collections.abc import Iterator
from typing import Any

from clary.records.search.expression import EVERYTHING, AllOf, AnyOf, Equal, Expression, Held, Not, Present, Together
from clary.records.search.order import Order
from clary.records.search.searchable import Searchable
from clary.services.sagemaker.errors import invalid
from clary.services.sagemaker.search.properties import TAGS, Property, PropertyType, find_property
from clary.services.sagemaker.search.values import condition

MOST_PARTS = 50
"""Filters, nested filters and subexpressions in one search, at all depths together."""

CONTAINS_OFTEN = {
    "Experiment": {"DisplayName", "ExperimentName", TAGS},
    "ExperimentTrial": {"DisplayName", "TrialName", TAGS},
    "ExperimentTrialComponent": {"DisplayName", "TrialComponentName", TAGS, "InputArtifacts", "OutputArtifacts"},
}
"""Properties on which a search may have `Contains` more than once: a quota of the service."""

SORTED: dict[PropertyType, Held] = {
    "text": "texts",
    "boolean": "texts",
    "number": "numbers",
    "timestamp": "numbers",
    "decimal": "both",
}

Request = dict[str, Any]


def expression_of(declared: Searchable, request: Request) -> Expression:
    """Raises `ValidationException` for what cannot be searched for."""
    parts = [_visible(declared, one) for one in request.get("VisibilityConditions", ())]
    if "SearchExpression" in request:
        asked = request["SearchExpression"]
        _check_quotas(declared, asked)
        parts.append(_expression(declared, asked))
    return AllOf(tuple(parts)) if parts else EVERYTHING


def order_of(declared: Searchable, request: Request) -> Order:
    descending = request.get("SortOrder", "Descending") == "Descending"
    if "SortBy" not in request:
        return Order(descending=descending)
    by = find_property(declared, request["SortBy"])
    if by.type not in SORTED:
        raise invalid(f"Results cannot be sorted by {by.name}, which has no value of its own.")
    return Order(by.path, SORTED[by.type], descending, many=by.depth > 0)


def _expression(declared: Searchable, asked: Request) -> Expression:
    parts = [_filter(declared, one) for one in asked.get("Filters", ())]
    parts += [_nested(declared, one) for one in asked.get("NestedFilters", ())]
    parts += [_expression(declared, one) for one in asked.get("SubExpressions", ())]
    if not parts:
        raise invalid("A SearchExpression must have at least one subexpression, filter, or nested filter.")
    return AnyOf(tuple(parts)) if asked.get("Operator") == "Or" else AllOf(tuple(parts))


def _filter(declared: Searchable, asked: Request) -> Expression:
    return condition(find_property(declared, asked["Name"]), asked.get("Operator", "Equals"), asked.get("Value"))


def _nested(declared: Searchable, asked: Request) -> Expression:
    """Filters name their properties in full: `InputDataConfig.ChannelName`."""
    of = find_property(declared, asked["NestedPropertyName"])
    if of.type != "structure" or not of.depth:
        raise invalid(f"The nested property {of.name} is not a list of structures.")
    for one in asked["Filters"]:
        inner = find_property(declared, one["Name"])
        if not inner.path.startswith(of.path):
            raise invalid(f"The property {inner.name} of a nested filter does not lie in {of.name}.")
    return Together(of.name, of.depth, tuple(_filter(declared, one) for one in asked["Filters"]))


def _visible(declared: Searchable, asked: Request) -> Expression:
    """Seen where the tag has the value, and where there is no such tag."""
    key = asked.get("Key", "")
    if not key.startswith(f"{TAGS}.") or key == f"{TAGS}.":
        raise invalid(f"The Key {key!r} of a visibility condition is not of the form {TAGS}.<key>.")
    tag: Property = find_property(declared, key)
    return AnyOf((Not(Present(tag.path, "texts")), Equal(tag.path, (asked.get("Value", ""),))))


def _check_quotas(declared: Searchable, asked: Request) -> None:
    parts = list(_parts(asked))
    if len(parts) > MOST_PARTS:
        raise invalid(
            f"A SearchExpression can have at most {MOST_PARTS} SubExpressions, NestedFilters and Filters; "
            f"this one has {len(parts)}."
        )
    often = CONTAINS_OFTEN.get(declared.resource, set())
    contains = [part["Name"] for part in parts if part.get("Operator") == "Contains"]
    if sum(name.partition(".")[0] not in often for name in contains) > 1:
        raise invalid("'CONTAINS' operator usage limit of 1 exceeded.")


def _parts(asked: Request) -> Iterator[Request]:
    """What a SearchExpression or a NestedFilters holds, at all depths."""
    for members in ("Filters", "NestedFilters", "SubExpressions"):
        for part in asked.get(members, ()):
            yield part
            yield from _parts(part)
