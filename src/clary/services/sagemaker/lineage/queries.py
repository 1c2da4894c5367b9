"""QueryLineage: a walk along associations, level by level, from one entity.

frontier ──▶ associations whose near end is in it ──▶ their far ends, not seen before ──▶ the next frontier
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from clary.control.call import Call
from clary.records.record import Record
from clary.records.search.expression import Equal
from clary.services.sagemaker import operation
from clary.services.sagemaker.errors import invalid, not_built
from clary.services.sagemaker.lineage.associations import ENTITIES, find_entity, type_of
from clary.services.sagemaker.lineage.edges import ASSOCIATIONS
from clary.services.sagemaker.search.listing import find_all
from clary.wire.errors import ServiceError

MOST_DEPTH = 10
PAGE_SIZE = 50
DIRECTIONS = {
    "Descendants": (("SourceArn", "DestinationArn"),),
    "Ascendants": (("DestinationArn", "SourceArn"),),
    "Both": (("SourceArn", "DestinationArn"), ("DestinationArn", "SourceArn")),
}
"""Near and far end of the associations that are followed."""


@dataclass
class Walk:
    """What was come across, in the order in which it was."""

    start: str
    edges: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    came_from: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Of each entity, those from which an association led to it."""


@operation("QueryLineage")
def query_lineage(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    if not request.get("StartArns"):
        raise not_built("QueryLineage without StartArns")
    start = find_entity(call, request["StartArns"][0])
    walk = Walk(start.arn)
    for near, far in DIRECTIONS[request.get("Direction", "Both")]:
        _follow(call, walk, near, far, request.get("MaxDepth", MOST_DEPTH))
    known = {arn: entity for arn in walk.came_from if (entity := _entity(call, arn))}
    wanted = [arn for arn, entity in known.items() if _matches(entity, request.get("Filters", {}))]
    if request.get("IncludeEdges"):
        on_the_way = _with_paths(walk, wanted)
        wanted = [arn for arn in known if arn in on_the_way]
    return _page(walk, [known[arn] for arn in wanted], request)


def _follow(call: Call, walk: Walk, near: str, far: str, depth: int) -> None:
    seen, frontier = {walk.start}, [walk.start]
    for _ in range(depth):
        following: list[str] = []
        for edge in find_all(call, ASSOCIATIONS, Equal(near, tuple(frontier))) if frontier else ():
            walk.edges[edge["SourceArn"], edge["DestinationArn"]] = edge
            if edge[far] != walk.start:
                walk.came_from[edge[far]].add(edge[near])
            if edge[far] not in seen:
                seen.add(edge[far])
                following.append(edge[far])
        frontier = following


def _with_paths(walk: Walk, wanted: Iterable[str]) -> set[str]:
    """These and all that lie between them and the start."""
    found: set[str] = set()
    left = list(wanted)
    while left:
        arn = left.pop()
        if arn not in found and arn != walk.start:
            found.add(arn)
            left += walk.came_from[arn]
    return found


def _entity(call: Call, arn: str) -> Record | None:
    """None where it was deleted, as a trial component may be."""
    try:
        return find_entity(call, arn)
    except ServiceError:
        return None


def _shown_type(entity: Record) -> str:
    """Here, and in no other answer, a job is a `TrainingJob` and no `SageMakerTrainingJob`: the SDK asks for that."""
    return type_of(entity).removeprefix("SageMaker")


def _matches(entity: Record, filters: dict[str, Any]) -> bool:
    properties = entity.document.get("Properties", {})
    return (
        _shown_type(entity) in filters.get("Types", [_shown_type(entity)])
        and ENTITIES[entity.kind].base in filters.get("LineageTypes", [ENTITIES[entity.kind].base])
        and filters.get("CreatedAfter", entity.created)
        <= entity.created
        <= filters.get("CreatedBefore", entity.created)
        and filters.get("ModifiedAfter", entity.modified)
        <= entity.modified
        <= filters.get("ModifiedBefore", entity.modified)
        and (
            "Properties" not in filters
            or any(properties.get(name) == value for name, value in filters["Properties"].items())
        )
    )


def _page(walk: Walk, entities: list[Record], request: dict[str, Any]) -> dict[str, Any]:
    """A token is how many vertices were on the pages before. Edges come with the first vertex that they lead to."""
    token = request.get("NextToken", "0")
    if not (token.isascii() and token.isdigit() and len(token) < 10):
        raise invalid("The NextToken is not valid for this request.")
    begin = int(token)
    end = begin + request.get("MaxResults", PAGE_SIZE)
    shown = {entity.arn for entity in entities[:end]} | {walk.start}
    before = {entity.arn for entity in entities[:begin]} | ({walk.start} if begin else set())
    edges = [
        {member: edge[member] for member in ("SourceArn", "DestinationArn", "AssociationType") if member in edge}
        for ends, edge in walk.edges.items()
        if shown.issuperset(ends) and not before.issuperset(ends)
    ]
    vertices = [
        {"Arn": entity.arn, "Type": _shown_type(entity), "LineageType": ENTITIES[entity.kind].base}
        for entity in entities[begin:end]
    ]
    more = {"NextToken": str(end)} if end < len(entities) else {}
    return {"Vertices": vertices, "Edges": edges if request.get("IncludeEdges") else [], **more}
