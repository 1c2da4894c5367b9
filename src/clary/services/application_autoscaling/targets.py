"""Scalable targets: the records, and the operations on them."""

import time
import uuid
from typing import Any

from clary.arns import global_arn, regional_arn
from clary.control.call import Call
from clary.records.errors import AlreadyExists, TooManyTags
from clary.records.query import Query
from clary.records.record import Kind, Record, State
from clary.services.application_autoscaling import operation
from clary.services.application_autoscaling.errors import invalid, no_target, not_built
from clary.services.application_autoscaling.paging import page_of
from clary.services.application_autoscaling.resources import SCALABLE, NoSuchResource
from clary.wire.errors import ServiceError

REGISTERED = State("Registered")
TARGETS = Kind("scalable-target", live=frozenset({REGISTERED.status}))
AT_ONCE = 1000
_ROLE = "role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/"
_ROLE_NAME = "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
_TOLD = (
    "ServiceNamespace",
    "ResourceId",
    "ScalableDimension",
    "MinCapacity",
    "MaxCapacity",
    "RoleARN",
    "SuspendedState",
)


@operation("RegisterScalableTarget")
def register_scalable_target(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    _check_resource(call, request)
    asked = {member: value for member, value in request.items() if member != "Tags"}
    record = call.house.records.find(TARGETS, call.scope, name_of(request))
    if record is None:
        for member in ("MinCapacity", "MaxCapacity"):
            if member not in request:
                raise invalid(f"{member} is required to register a new scalable target.")
        _check_bounds(request)
        record = _create(call, request, asked)
    else:
        suspended = {**record.document["SuspendedState"], **request.get("SuspendedState", {})}
        document = {**record.document, **asked, "SuspendedState": suspended}
        _check_bounds(document)
        record = call.house.records.update(record, document)
    call.house.supervisor.wake(TARGETS, record.id)
    return {"ScalableTargetARN": record.arn}


@operation("DescribeScalableTargets")
def describe_scalable_targets(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    wanted = request.get("ResourceIds")
    targets = [
        {
            **{member: record.document[member] for member in _TOLD},
            "CreationTime": record.created,
            "ScalableTargetARN": record.arn,
        }
        for record in targets_of(call, request)
        if wanted is None or record.document["ResourceId"] in wanted
    ]
    return page_of("ScalableTargets", targets, request)


def targets_of(call: Call, request: dict[str, Any]) -> list[Record]:
    """Those of the request's service, dimension and resource, as far as it names them."""
    page = call.house.records.list(TARGETS, call.scope, Query(max_results=AT_ONCE))
    members = ("ServiceNamespace", "ScalableDimension", "ResourceId")
    return [
        record
        for record in page.records
        if all(request.get(member, record.document[member]) == record.document[member] for member in members)
    ]


def find_target(call: Call, request: dict[str, Any]) -> Record:
    """Raises `ObjectNotFoundException`."""
    record = call.house.records.find(TARGETS, call.scope, name_of(request))
    if record is None:
        raise no_target(request)
    return record


def name_of(request: dict[str, Any]) -> str:
    return f"{request['ServiceNamespace']}|{request['ResourceId']}|{request['ScalableDimension']}"


def _create(call: Call, request: dict[str, Any], asked: dict[str, Any]) -> Record:
    scope = call.scope
    switches = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")
    document = {
        "RoleARN": global_arn("iam", scope.region, scope.account, _ROLE + _ROLE_NAME),
        **asked,
        "SuspendedState": {**dict.fromkeys(switches, False), **request.get("SuspendedState", {})},
        "Policies": {},
        "Actions": {},
        "Activities": [],
        "Since": time.time(),
    }
    resource = f"scalable-target/{uuid.uuid4().hex[:20]}"
    arn = regional_arn("application-autoscaling", scope.region, scope.account, resource)
    tags, name = request.get("Tags", {}), name_of(request)
    try:
        return call.house.records.create(TARGETS, scope, name, arn, document, REGISTERED, tags=tags)
    except TooManyTags:
        raise ServiceError("ValidationException", "A scalable target can have at most 50 tags.", 400) from None
    except AlreadyExists:
        message = "The scalable target is just being registered by another."
        raise ServiceError("ConcurrentUpdateException", message, 500) from None


def _check_resource(call: Call, request: dict[str, Any]) -> None:
    dimension = request["ScalableDimension"]
    if dimension not in SCALABLE:
        raise not_built(f"Scaling of {dimension}")
    try:
        SCALABLE[dimension].capacity(call.house, call.scope, request["ResourceId"])
    except NoSuchResource as error:
        raise invalid(str(error)) from None


def _check_bounds(document: dict[str, Any]) -> None:
    least, most = document["MinCapacity"], document["MaxCapacity"]
    if least < 0:
        raise invalid("Minimum capacity must be greater than or equal to 0.")
    if most < least:
        raise invalid("Maximum capacity cannot be less than minimum capacity.")
