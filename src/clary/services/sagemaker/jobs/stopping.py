"""StopX: the wish that a job end, which its reconciler grants. DeleteX: only of one that has."""

from collections.abc import Callable
from typing import Any

from clary.control.call import Call
from clary.control.house import House
from clary.records.record import KINDS, Record, State
from clary.services.sagemaker import operation
from clary.services.sagemaker.errors import invalid
from clary.services.sagemaker.jobs.course import Course
from clary.services.sagemaker.resources.declaration import Resource
from clary.services.sagemaker.resources.handling import find
from clary.wire.errors import ServiceError


def ask_to_stop(house: House, course: Course, record: Record) -> None:
    """What a user's Stop does, and a parent's of its children (`control.children`). Raises
    `IllegalTransition` and `Stale`."""
    house.records.transition(record, course.stopping, message=course.messages[course.stopping])
    house.supervisor.wake(KINDS[record.kind], record.id)


def serve_stop(resource: Resource, course: Course, noun: str) -> None:
    """Register `Stop<base>`. `noun` is what users read: "training job"."""

    @operation(f"Stop{resource.base}")
    def stop(call: Call, request: dict[str, Any]) -> None:
        record = find(call, resource, request[resource.name_member])
        if not _may_stop(record, course.stopping, resource):
            raise invalid(f"The request was rejected because the {noun} is in status {record.state.status}.")
        ask_to_stop(call.house, course, record)


def only_finished(noun: str) -> Callable[[Call, Record], None]:
    """The `guard` of a job's resource."""

    def guard(_call: Call, record: Record) -> None:
        if record.state.status in KINDS[record.kind].live:
            raise ServiceError(
                "ResourceInUse",
                f"The {noun} {record.name} is {record.state.status}: only a finished one can be deleted.",
            )

    return guard


def _may_stop(record: Record, stopping: State, resource: Resource) -> bool:
    return stopping in resource.kind.transitions.get(record.state, frozenset())
