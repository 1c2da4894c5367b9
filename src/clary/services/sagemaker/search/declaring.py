"""How a resource becomes searchable: a line beside its declaration."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from botocore.model import StructureShape

from clary.control.call import Call
from clary.records.record import Event, Record
from clary.records.search.searchable import NamedList, Searchable, searchable
from clary.services.sagemaker.resources.declaration import Resource
from clary.services.sagemaker.resources.handling import told
from clary.services.sagemaker.resources.shapes import cut
from clary.wire.models import service_model

NOTHING: Mapping[str, Any] = {}

Completion = Callable[[Call, list[dict[str, Any]]], None]
COMPLETIONS: dict[str, Completion] = {}
"""What is added to a page of results from other records, by the ResourceType. It is answered and not searched."""


def serve_search(
    resource: Resource,
    name: str = "",
    *,
    member: str = "",
    within: str = "",
    passages: Mapping[str, Callable[[Record, Sequence[Event]], Any]] = NOTHING,
    named: tuple[NamedList, ...] = (),
    decimals: tuple[str, ...] = (),
    untold: tuple[str, ...] = (),
    complete: Completion | None = None,
) -> None:
    """Let Search find records of the resource.

    `name` is its ResourceType, `member` its member of SearchRecord, where these are not the resource's `base`;
    `complete` is one of `COMPLETIONS`. The rest is told of `Searchable`.
    """
    declared = Searchable(
        kind=resource.kind,
        resource=name or resource.base,
        describe=lambda record: cut(told(resource, record), _members(declared)),
        member=member,
        within=within,
        named=named,
        decimals=decimals,
        passages=passages,
        untold=untold,
    )
    searchable(declared)
    if complete:
        COMPLETIONS[declared.resource] = complete


def shape_of(declared: Searchable) -> StructureShape:
    """What a search result holds of the resource, with the property names of filters."""
    return _result_shape(declared.member or declared.resource)


@cache
def _result_shape(member: str) -> StructureShape:
    return service_model("sagemaker").shape_for("SearchRecord").members[member]


def _members(declared: Searchable) -> frozenset[str]:
    return _member_names(declared.member or declared.resource, declared.within)


@cache
def _member_names(member: str, within: str) -> frozenset[str]:
    shape = _result_shape(member)
    return frozenset((shape.members[within] if within else shape).members)
