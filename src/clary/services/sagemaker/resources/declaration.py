"""What one kind of resource is, as far as the published model does not say it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from clary.control.call import Call
from clary.control.house import House
from clary.records.query import Query, SortBy
from clary.records.record import Kind, Record, State

EXISTS = State("")
"""The only state of what is made at once and has no status."""

Document = dict[str, Any]
Filter = Callable[[Query, Any], Query | None]
"""The query that keeps to a member of a List request, with that member's value; None where nothing can match."""


def as_asked(_call: Call, request: Document) -> Document:
    """The request is the document."""
    return request


def replace_members(document: Document, request: Document) -> Document:
    """Each member that an Update names takes the place of the one before."""
    return {**document, **request}


@dataclass(frozen=True, kw_only=True)
class Resource:
    """`base` names operations and members: `CodeRepository` has `DescribeCodeRepository` and `CodeRepositoryArn`.

    `missing` and `exists` are what users read, with `{name}` and `{arn}`. Their codes are those that the model
    documents (`ResourceNotFound`, `ResourceInUse`), else `ValidationException`; `missing_code` is for what AWS is known
    to answer otherwise than documented.
    """

    base: str
    kind: Kind
    missing: str
    exists: str
    missing_code: str = ""
    plural: str = ""
    """`CodeRepositories`; empty is `base` and an s."""
    initial: State = EXISTS
    message: str = ""
    """Of the event of the initial state."""

    prepare: Callable[[Call, Document], Document] = as_asked
    """From a Create request without its tags to the record's document. Raises `ServiceError` for what may not be asked
    for; the place for defaults that AWS describes."""
    amend: Callable[[Document, Document], Document] = replace_members
    """`(document, Update request) -> document`."""
    guard: Callable[[Call, Record], None] = lambda _call, _record: None
    """Raises `ServiceError` where the record may not be deleted now."""
    tell: Callable[[Record], Document] = lambda _record: {}
    """What is told of a record beside its document, name, ARN, status and times, wherever there is a place for it."""
    describe: Callable[[House, Record], Document] = lambda _house, _record: {}
    """What Describe says beside that. It may read other tables: listings and searches do without it."""

    sort_by: SortBy = "CreationTime"
    order: Literal["Ascending", "Descending"] = "Descending"
    """These two where a List request names none."""
    from_inclusive: bool = False
    """Whether the model documents `CreationTimeAfter` as "greater than or equal to"."""
    filters: Mapping[str, Filter] = field(default_factory=dict)
    """Members of the List request beyond those that all have. One that is neither is refused by name."""

    def __post_init__(self) -> None:
        if RESOURCES.setdefault(self.base, self) is not self:
            raise ValueError(f"{self.base} is declared twice")

    @property
    def name_member(self) -> str:
        return f"{self.base}Name"

    @property
    def arn_member(self) -> str:
        return f"{self.base}Arn"

    @property
    def list_operation(self) -> str:
        return f"List{self.plural or f'{self.base}s'}"


RESOURCES: dict[str, Resource] = {}
"""Every resource that was declared, by its base."""
