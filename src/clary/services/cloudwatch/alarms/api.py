"""Operations on alarms. DescribeAlarmHistory is in `history.py`."""

import time
from typing import Any

from clary.control.call import Call
from clary.records.errors import AlreadyExists, NotFound, TooManyTags
from clary.records.query import Query
from clary.records.record import Record
from clary.records.tags import MOST_TAGS
from clary.services.cloudwatch import operation
from clary.services.cloudwatch.alarms.history import noted
from clary.services.cloudwatch.alarms.kind import ALARMS, INSUFFICIENT_DATA, STATES, alarm_arn, find_alarm, told
from clary.services.cloudwatch.alarms.passage import enter
from clary.services.cloudwatch.alarms.requests import ACTIONS, configuration_of
from clary.services.cloudwatch.errors import bad_combination, bad_value
from clary.services.cloudwatch.paging import page_of
from clary.wire.errors import ServiceError

READ_AT_ONCE = 500
KEPT = (
    "StateReason",
    "StateReasonData",
    "StateUpdatedTimestamp",
    "StateTransitionedTimestamp",
    "From",
    "Due",
    "History",
)
"""What a changed configuration leaves of an alarm."""


@operation("PutMetricAlarm")
def put_metric_alarm(call: Call, request: dict[str, Any]) -> None:
    now = time.time()
    configured = {**configuration_of(call, request), "AlarmConfigurationUpdatedTimestamp": now}
    name, records = request["AlarmName"], call.house.records
    record = records.find(ALARMS, call.scope, name)
    if record is not None:
        kept = {member: record.document[member] for member in KEPT if member in record.document}
        document = noted({**configured, **kept}, "ConfigurationUpdate", f'Alarm "{name}" updated', {"type": "Update"})
        record = records.update(record, document)
    else:
        document = {
            **configured,
            "StateReason": "Unchecked: Initial alarm creation",
            "StateUpdatedTimestamp": now,
            "StateTransitionedTimestamp": now,
            "From": INSUFFICIENT_DATA.status,
        }
        document = noted(document, "ConfigurationUpdate", f'Alarm "{name}" created', {"type": "Create"})
        record = _create(call, name, document, {tag["Key"]: tag["Value"] for tag in request.get("Tags", [])})
    call.house.supervisor.wake(ALARMS, record.id)


def _create(call: Call, name: str, document: dict[str, Any], tags: dict[str, str]) -> Record:
    arn = alarm_arn(call.scope, name)
    try:
        return call.house.records.create(ALARMS, call.scope, name, arn, document, INSUFFICIENT_DATA, tags=tags)
    except TooManyTags:
        raise bad_value(f"An alarm can have at most {MOST_TAGS} tags.") from None
    except AlreadyExists:
        raise ServiceError("ServiceUnavailable", f"The alarm {name} is just being made by another.", 503) from None


@operation("DescribeAlarms")
def describe_alarms(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    for member in ("ChildrenOfAlarmName", "ParentsOfAlarmName"):
        if member in request:
            raise bad_combination(f"{member} is not built in Clary yet.")
    if "AlarmNames" in request and "AlarmNamePrefix" in request:
        raise bad_combination("AlarmNames and AlarmNamePrefix cannot be specified together.")
    wanted = "MetricAlarm" in request.get("AlarmTypes", ["MetricAlarm"])
    found = [record for record in all_alarms(call) if _is_asked_for(record, request)] if wanted else []
    page, more = page_of(found, request)
    return {"MetricAlarms": [told(record) for record in page], "CompositeAlarms": [], **more}


@operation("DescribeAlarmsForMetric")
def describe_alarms_for_metric(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    def is_on_metric(alarm: dict[str, Any]) -> bool:
        given = ("Namespace", "MetricName", "Statistic", "ExtendedStatistic", "Period", "Unit")
        same = all(alarm.get(member) == request[member] for member in given if member in request)
        return same and _pairs(alarm.get("Dimensions", [])) == _pairs(request.get("Dimensions", []))

    return {"MetricAlarms": [told(record) for record in all_alarms(call) if is_on_metric(record.document)]}


@operation("DeleteAlarms")
def delete_alarms(call: Call, request: dict[str, Any]) -> None:
    """All or none: one that is not there is looked for before the first is deleted."""
    found = [find_alarm(call, name) for name in dict.fromkeys(request["AlarmNames"])]
    for record in found:
        call.house.records.delete(record)


@operation("SetAlarmState")
def set_alarm_state(call: Call, request: dict[str, Any]) -> None:
    record = find_alarm(call, request["AlarmName"])
    state = STATES[request["StateValue"]]
    record = enter(call.house, record, state, request["StateReason"], request.get("StateReasonData", ""))
    call.house.supervisor.wake(ALARMS, record.id)


@operation("EnableAlarmActions")
def enable_alarm_actions(call: Call, request: dict[str, Any]) -> None:
    _switch_actions(call, request["AlarmNames"], enabled=True)


@operation("DisableAlarmActions")
def disable_alarm_actions(call: Call, request: dict[str, Any]) -> None:
    _switch_actions(call, request["AlarmNames"], enabled=False)


def all_alarms(call: Call) -> list[Record]:
    """By name."""
    query, found = Query(sort_by="Name", max_results=READ_AT_ONCE), []
    while True:
        page = call.house.records.list(ALARMS, call.scope, query)
        found += page.records
        if not page.next_token:
            return found
        query = Query(sort_by="Name", max_results=READ_AT_ONCE, next_token=page.next_token)


def _switch_actions(call: Call, names: list[str], *, enabled: bool) -> None:
    for name in names:
        record = find_alarm(call, name)
        if record.document["ActionsEnabled"] != enabled:
            call.house.records.update(record, {**record.document, "ActionsEnabled": enabled})


def _is_asked_for(record: Record, request: dict[str, Any]) -> bool:
    actions = [arn for member in ACTIONS.values() for arn in record.document[member]]
    return (
        record.name in request.get("AlarmNames", [record.name])
        and record.name.startswith(request.get("AlarmNamePrefix", ""))
        and request.get("StateValue", record.state.status) == record.state.status
        and ("ActionPrefix" not in request or any(arn.startswith(request["ActionPrefix"]) for arn in actions))
    )


def _pairs(dimensions: list[dict[str, str]]) -> set[tuple[str, str]]:
    return {(each["Name"], each["Value"]) for each in dimensions}


@operation("ListTagsForResource")
def list_tags_for_resource(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    tags = call.house.records.tags(_tagged(call, request))
    return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


@operation("TagResource")
def tag_resource(call: Call, request: dict[str, Any]) -> None:
    try:
        call.house.records.add_tags(_tagged(call, request), {tag["Key"]: tag["Value"] for tag in request["Tags"]})
    except TooManyTags:
        raise bad_value(f"An alarm can have at most {MOST_TAGS} tags.") from None


@operation("UntagResource")
def untag_resource(call: Call, request: dict[str, Any]) -> None:
    call.house.records.remove_tags(_tagged(call, request), request["TagKeys"])


def _tagged(call: Call, request: dict[str, Any]) -> Record:
    try:
        record = call.house.records.by_arn(request["ResourceARN"])
    except NotFound:
        record = None
    if record is None or record.kind != ALARMS.name or record.scope != call.scope:
        raise ServiceError("ResourceNotFoundException", f"Unknown resource: {request['ResourceARN']}", 404)
    return record
