"""Operations on log groups and streams. Those on events are in `events.py`."""

from typing import Any

from clary.control.call import Call
from clary.records.logs import LogGroup, LogStream
from clary.services.logs import operation
from clary.services.logs.requests import (
    errors_of_logs,
    group_arn,
    group_name,
    group_of_arn,
    invalid,
    read_token,
    sequence_token,
    write_token,
)
from clary.wire.errors import ServiceError

PAGE_SIZE = 50
MOST_TAGS = 50
RETENTIONS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
"""Days that events may be kept, of the documentation of PutRetentionPolicy."""


@operation("CreateLogGroup")
def create_log_group(call: Call, request: dict[str, Any]) -> None:
    name = request["logGroupName"]
    if name.startswith("aws/"):
        raise invalid("Log group names can't start with the string aws/.")
    with errors_of_logs():
        call.house.logs.create_group(call.scope, name, request.get("tags"), request.get("kmsKeyId"))


@operation("CreateLogStream")
def create_log_stream(call: Call, request: dict[str, Any]) -> None:
    with errors_of_logs():
        call.house.logs.create_stream(call.scope, request["logGroupName"], request["logStreamName"])


@operation("DescribeLogGroups")
def describe_log_groups(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    if "logGroupNamePrefix" in request and "logGroupNamePattern" in request:
        raise invalid("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.")
    if "logGroupIdentifiers" in request:
        raise invalid("DescribeLogGroups with logGroupIdentifiers is not built in Clary yet.")
    limit = request.get("limit", PAGE_SIZE)
    (after,) = read_token(request["nextToken"], str) if "nextToken" in request else [""]
    found = call.house.logs.groups(
        call.scope,
        prefix=request.get("logGroupNamePrefix", ""),
        contains=request.get("logGroupNamePattern", ""),
        after=after,
        limit=limit + 1,
    )
    page = found[:limit]
    token = {"nextToken": write_token(page[-1].name)} if len(found) > limit else {}
    return {"logGroups": [_described_group(call, group) for group in page], **token}


@operation("DescribeLogStreams")
def describe_log_streams(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    group = group_name(request)
    by_time = request.get("orderBy") == "LastEventTime"
    if by_time and "logStreamNamePrefix" in request:
        raise invalid("Cannot order by LastEventTime with a logStreamNamePrefix.")
    limit = request.get("limit", PAGE_SIZE)
    with errors_of_logs():
        found = call.house.logs.streams(
            call.scope,
            group,
            prefix=request.get("logStreamNamePrefix", ""),
            by_time=by_time,
            descending=request.get("descending", False),
            after=_after(request),
            limit=limit + 1,
        )
    page = found[:limit]
    token = {"nextToken": write_token(page[-1].last_at, page[-1].name)} if len(found) > limit else {}
    return {"logStreams": [_described_stream(call, group, stream) for stream in page], **token}


@operation("DeleteLogGroup")
def delete_log_group(call: Call, request: dict[str, Any]) -> None:
    with errors_of_logs():
        call.house.logs.delete_group(call.scope, request["logGroupName"])


@operation("DeleteLogStream")
def delete_log_stream(call: Call, request: dict[str, Any]) -> None:
    with errors_of_logs():
        call.house.logs.delete_stream(call.scope, request["logGroupName"], request["logStreamName"])


@operation("AssociateKmsKey")
def associate_kms_key(call: Call, request: dict[str, Any]) -> None:
    with errors_of_logs():
        call.house.logs.set_kms_key(call.scope, _encrypted_group(request), request["kmsKeyId"])


@operation("DisassociateKmsKey")
def disassociate_kms_key(call: Call, request: dict[str, Any]) -> None:
    with errors_of_logs():
        call.house.logs.set_kms_key(call.scope, _encrypted_group(request), None)


@operation("PutRetentionPolicy")
def put_retention_policy(call: Call, request: dict[str, Any]) -> None:
    days = request["retentionInDays"]
    if days not in RETENTIONS:
        raise invalid(f"The retention of {days} days is not one of {', '.join(map(str, RETENTIONS))}.")
    with errors_of_logs():
        call.house.logs.set_retention(call.scope, request["logGroupName"], days)


@operation("DeleteRetentionPolicy")
def delete_retention_policy(call: Call, request: dict[str, Any]) -> None:
    with errors_of_logs():
        call.house.logs.set_retention(call.scope, request["logGroupName"], None)


@operation("TagResource")
def tag_resource(call: Call, request: dict[str, Any]) -> None:
    name = group_of_arn(request["resourceArn"])
    with errors_of_logs():
        tags = call.house.logs.group(call.scope, name).tags | request["tags"]
        if len(tags) > MOST_TAGS:
            raise ServiceError("TooManyTagsException", f"A resource can have no more than {MOST_TAGS} tags.", 400)
        call.house.logs.change_tags(call.scope, name, request["tags"])


@operation("UntagResource")
def untag_resource(call: Call, request: dict[str, Any]) -> None:
    with errors_of_logs():
        call.house.logs.change_tags(call.scope, group_of_arn(request["resourceArn"]), {}, request["tagKeys"])


@operation("ListTagsForResource")
def list_tags_for_resource(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    with errors_of_logs():
        return {"tags": call.house.logs.group(call.scope, group_of_arn(request["resourceArn"])).tags}


def _after(request: dict[str, Any]) -> LogStream | None:
    """The stream that the page before ended with, as far as its place in the listing goes."""
    if "nextToken" not in request:
        return None
    last_at, name = read_token(request["nextToken"], int, str)
    return LogStream(name, created=0, first_at=0, last_at=last_at, last_ingested=0)


def _encrypted_group(request: dict[str, Any]) -> str:
    if ("logGroupName" in request) == ("resourceIdentifier" in request):
        raise invalid("You must specify either logGroupName or resourceIdentifier, but not both.")
    name: str | None = request.get("logGroupName")
    return name or group_of_arn(request["resourceIdentifier"])


def _described_group(call: Call, group: LogGroup) -> dict[str, Any]:
    retention = {} if group.retention_days is None else {"retentionInDays": group.retention_days}
    key = {} if group.kms_key is None else {"kmsKeyId": group.kms_key}
    arn = group_arn(call, group.name)
    return {
        "logGroupName": group.name,
        "creationTime": round(group.created * 1000),
        "metricFilterCount": 0,
        "arn": f"{arn}:*",
        "logGroupArn": arn,
        "logGroupClass": "STANDARD",
        **retention,
        **key,
    }


def _described_stream(call: Call, group: str, stream: LogStream) -> dict[str, Any]:
    times = {
        "firstEventTimestamp": stream.first_at,
        "lastEventTimestamp": stream.last_at,
        "lastIngestionTime": stream.last_ingested,
        "uploadSequenceToken": sequence_token(stream.last_ingested),
    }
    return {
        "logStreamName": stream.name,
        "creationTime": round(stream.created * 1000),
        "arn": f"{group_arn(call, group)}:log-stream:{stream.name}",
        "storedBytes": 0,
        **(times if stream.last_at else {}),
    }
