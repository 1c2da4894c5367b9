"""Which members the published shapes have a place for: what is answered is cut to them."""

from functools import cache
from typing import Any

from clary.wire.models import service_model


@cache
def answered_members(operation: str) -> frozenset[str]:
    """Members of an operation's response; none where it has no response."""
    shape = service_model("sagemaker").operation_model(operation).output_shape
    return frozenset(shape.members if shape else ())


@cache
def list_member(operation: str) -> str:
    """The member of a List response that holds the summaries: the one list in it."""
    shape = service_model("sagemaker").operation_model(operation).output_shape
    (member,) = (str(name) for name, of in shape.members.items() if of.type_name == "list")
    return member


@cache
def summary_members(operation: str) -> frozenset[str]:
    """Members of one summary of a List response."""
    shape = service_model("sagemaker").operation_model(operation).output_shape
    return frozenset(shape.members[list_member(operation)].member.members)


@cache
def documents_error(operation: str, code: str) -> bool:
    return any(shape.name == code for shape in service_model("sagemaker").operation_model(operation).error_shapes)


def cut(document: dict[str, Any], members: frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name in members}
