"""What became of an alarm: its configuration, its states and its actions, the last hundred of them.

It is kept in the alarm's document, so that it is written with what it tells of; that of a deleted alarm is gone.
"""

import json
import time
from typing import Any

from clary.control.call import Call
from clary.records.query import Query
from clary.records.record import Record
from clary.services.cloudwatch import operation
from clary.services.cloudwatch.alarms.kind import ALARMS, find_alarm
from clary.services.cloudwatch.errors import bad_combination
from clary.services.cloudwatch.paging import page_of

LENGTH = 100
LONGEST_DATA = 4095
MOST_ALARMS = 1000


def noted(document: dict[str, Any], kind: str, summary: str, data: dict[str, Any]) -> dict[str, Any]:
    """The document with one more item; `kind` is a `HistoryItemType`."""
    item = {
        "Timestamp": time.time(),
        "HistoryItemType": kind,
        "HistorySummary": summary[:255],
        "HistoryData": json.dumps({"version": "1.0", **data})[:LONGEST_DATA],
    }
    return {**document, "History": [*document.get("History", []), item][-LENGTH:]}


@operation("DescribeAlarmHistory")
def describe_alarm_history(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    if "AlarmContributorId" in request:
        raise bad_combination("AlarmContributorId is not built in Clary yet.")
    metric_alarms = "MetricAlarm" in request.get("AlarmTypes", ["MetricAlarm"])
    items = [item for record in _asked_for(call, request) for item in _items(record, request)] if metric_alarms else []
    items.sort(key=lambda item: item["Timestamp"], reverse=request.get("ScanBy") != "TimestampAscending")
    page, more = page_of(items, request)
    return {"AlarmHistoryItems": page, **more}


def _asked_for(call: Call, request: dict[str, Any]) -> list[Record]:
    if "AlarmName" in request:
        return [find_alarm(call, request["AlarmName"])]
    return call.house.records.list(ALARMS, call.scope, Query(max_results=MOST_ALARMS)).records


def _items(record: Record, request: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"AlarmName": record.name, "AlarmType": "MetricAlarm", **item}
        for item in record.document["History"]
        if request.get("HistoryItemType", item["HistoryItemType"]) == item["HistoryItemType"]
        and request.get("StartDate", 0.0) <= item["Timestamp"] <= request.get("EndDate", float("inf"))
    ]
