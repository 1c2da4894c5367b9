"""Turns a declaration into operations."""

from collections.abc import Callable
from typing import Any, Literal

from clary.control.call import Call
from clary.services.sagemaker import operation
from clary.services.sagemaker.resources import handling
from clary.services.sagemaker.resources.declaration import Resource
from clary.services.sagemaker.resources.listing import list_resources
from clary.services.sagemaker.resources.shapes import answered_members, cut

Verb = Literal["Create", "Describe", "List", "Update", "Delete"]
Serve = Callable[[Call, Resource, dict[str, Any]], dict[str, Any] | None]


def serve(resource: Resource, *verbs: Verb) -> None:
    """Register the resource's operations of these verbs."""
    for verb in verbs:
        _register(resource, verb)


def _register(resource: Resource, verb: Verb) -> None:
    @operation(resource.list_operation if verb == "List" else f"{verb}{resource.base}")
    def handle(call: Call, request: dict[str, Any]) -> dict[str, Any] | None:
        return SERVED[verb](call, resource, request)


def _create(call: Call, resource: Resource, request: dict[str, Any]) -> dict[str, Any]:
    record = handling.create(call, resource, request)
    return cut({resource.arn_member: record.arn}, answered_members(f"Create{resource.base}"))


def _describe(call: Call, resource: Resource, request: dict[str, Any]) -> dict[str, Any]:
    record = handling.find(call, resource, request[resource.name_member])
    return cut(handling.described(call.house, resource, record), answered_members(f"Describe{resource.base}"))


def _update(call: Call, resource: Resource, request: dict[str, Any]) -> dict[str, Any]:
    record = handling.update(call, resource, request)
    return cut({resource.arn_member: record.arn}, answered_members(f"Update{resource.base}"))


def _delete(call: Call, resource: Resource, request: dict[str, Any]) -> dict[str, Any] | None:
    record = handling.delete(call, resource, request)
    return cut({resource.arn_member: record.arn}, answered_members(f"Delete{resource.base}")) or None


SERVED: dict[Verb, Serve] = {
    "Create": _create,
    "Describe": _describe,
    "List": list_resources,
    "Update": _update,
    "Delete": _delete,
}
