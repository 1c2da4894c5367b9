"""Property names: what a name in a filter means, by the published shape of the resource.

    HyperParameters.max_depth                        a key of a map, its value read as a number where it is one
    InputDataConfig.DataSource.S3DataSource.S3Uri    a member of the elements of a list
    Metrics.accuracy                                 an element of a list by its name
    Tags.team                                        a tag

Members are found whatever their case, as notebooks write `metrics.accuracy`; keys are not.
"""

from dataclasses import dataclass
from typing import Literal

from botocore.model import Shape

from clary.records.search.attributes import MODIFIED
from clary.records.search.searchable import NamedList, Searchable
from clary.services.sagemaker.errors import invalid, not_built
from clary.services.sagemaker.search.declaring import shape_of

PropertyType = Literal["text", "number", "decimal", "timestamp", "boolean", "structure"]

TYPES: dict[str, PropertyType] = {
    "string": "text",
    "blob": "text",
    "character": "text",
    "integer": "number",
    "long": "number",
    "float": "number",
    "double": "number",
    "timestamp": "timestamp",
    "boolean": "boolean",
}
TAGS = "Tags"


@dataclass(frozen=True, slots=True)
class Property:
    path: str
    """As attributes have it; ends in a dot where it is a structure."""
    type: PropertyType
    depth: int = 0
    """How many lists lie on the way, its own included."""

    @property
    def name(self) -> str:
        return self.path.removesuffix(".")


def find_property(declared: Searchable, name: str) -> Property:
    """Raises `ValidationException` where the resource has no such property."""
    found = _resolve(declared, name)
    if found is None:
        raise invalid(f"Unknown property name: {name}")
    if found.name.partition(".")[0] in {*declared.passages, *declared.untold}:
        raise not_built(f"Search by {name}")
    return found


def named_groups(declared: Searchable) -> list[str]:
    """Where names are the user's: what can be suggested."""
    return sorted({*declared.decimals, *(named.name for named in declared.named), TAGS})


def _resolve(declared: Searchable, name: str) -> Property | None:
    head, _, rest = name.partition(".")
    if name.lower() == MODIFIED.lower():
        return Property(MODIFIED, "timestamp")
    if head.lower() == TAGS.lower():
        return Property(f"{TAGS}.{rest}", "text" if rest else "structure")
    shape = shape_of(declared)
    for named in declared.named:
        if rest and head.lower() == named.name.lower():
            found = _by_name(shape, named, rest)
            if found is not None:
                return found
    return _walk(declared, shape, "", name, 0)


def _by_name(shape: Shape, named: NamedList, rest: str) -> Property | None:
    """`accuracy` of `Metrics.accuracy`, or `loss.Max` where elements have several values."""
    element = shape.members[named.member].member
    if named.value:
        return Property(f"{named.name}.{rest}", TYPES[element.members[named.value].type_name])
    key, _, wanted = rest.rpartition(".")
    member = _member(element, wanted)
    if not key or member is None:
        return None
    return Property(f"{named.name}.{key}.{member}", TYPES[element.members[member].type_name])


def _walk(declared: Searchable, shape: Shape, path: str, rest: str, depth: int) -> Property | None:
    """The property that `rest` names from a shape on; `path` is the way so far."""
    if shape.type_name == "list":
        return _walk(declared, shape.member, path, rest, depth + 1)
    if not rest:
        kind = TYPES.get(shape.type_name, "structure")
        return Property(f"{path}." if kind == "structure" else path, kind, depth)
    if shape.type_name == "map":
        return _key(declared, shape, path, rest, depth)
    if shape.type_name != "structure":
        return None
    head, _, rest = rest.partition(".")
    member = _member(shape, head)
    if member is None:
        return None
    return _walk(declared, shape.members[member], f"{path}.{member}" if path else member, rest, depth)


def _key(declared: Searchable, shape: Shape, path: str, key: str, depth: int) -> Property | None:
    """Keys may have dots of their own: `Parameters.SageMaker.InstanceCount.NumberValue`."""
    kind = TYPES.get(shape.value.type_name)
    if kind is None:
        name, _, rest = key.rpartition(".")
        if not name or shape.value.type_name != "structure" or _member(shape.value, rest) is None:
            name, _, rest = key.partition(".")
        return _walk(declared, shape.value, f"{path}.{name}", rest, depth)
    return Property(f"{path}.{key}", "decimal" if path in declared.decimals else kind, depth)


def _member(shape: Shape, name: str) -> str | None:
    if name in shape.members:
        return name
    return next((str(member) for member in shape.members if member.lower() == name.lower()), None)
