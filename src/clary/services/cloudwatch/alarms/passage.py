"""An alarm's passage from one state into another, and what follows from it.

    enter: state, history and what is due, in one write ─▶ AlarmReconciler ─▶ perform: actions, watchers

What is due is in the document until it was done, so that a kill in between loses none of it.
"""

import logging
import time
from collections.abc import Callable
from typing import Any

import orjson

from clary.arns import read_arn
from clary.control.destinations import NoDestination, publish
from clary.control.house import House
from clary.records.record import Record, Scope, State
from clary.services.cloudwatch.alarms.history import noted
from clary.services.cloudwatch.alarms.kind import ALARM, ALARMS
from clary.services.cloudwatch.alarms.requests import ACTIONS, queries_of

log = logging.getLogger(__name__)

WATCHERS: list[Callable[[House, Record], None]] = []
"""Who of Clary's own is told of every passage: they look at the alarm's state and wake whom it concerns."""


def enter(house: House, record: Record, state: State, reason: str, data: str) -> Record:
    """Raises `Stale`."""
    now = time.time()
    old = record.document
    told = {"StateReason": reason, "StateUpdatedTimestamp": now}
    if data:
        told["StateReasonData"] = data
    document = {**{k: v for k, v in old.items() if k != "StateReasonData"}, **told}
    if state == record.state:
        return house.records.update(record, document)
    document |= {"StateTransitionedTimestamp": now, "From": record.state.status, "Due": True}
    change = {
        "oldState": {"stateValue": record.state.status, "stateReason": old["StateReason"]},
        "newState": {"stateValue": state.status, "stateReason": reason},
    }
    summary = f"Alarm updated from {record.state.status} to {state.status}"
    return house.records.transition(record, state, document=noted(document, "StateUpdate", summary, change))


def perform(house: House, record: Record) -> Record:
    """Do what the passage into the record's state asks for, where that was not done yet."""
    document = record.document
    if not document.get("Due"):
        return record
    for watcher in WATCHERS:
        watcher(house, record)
    for arn in _actions(record):
        error = _deliver(house, record, arn)
        words = f"Failed to execute action {arn}. {error}" if error else f"Successfully executed action {arn}"
        told = {"actionState": "Failed" if error else "Succeeded", "notificationResource": arn, "error": error}
        document = noted(document, "Action", words, told)
    return house.records.update(record, {**document, "Due": False})


def repeat(house: House, record: Record) -> None:
    """Scaling policies are told again for as long as the alarm stays in the state that they act on."""
    for arn in _actions(record):
        read = read_arn(arn)
        if read is not None and read.service == "autoscaling":
            _deliver(house, record, arn)


def was_in_alarm(house: House, scope: Scope, name: str, since: float) -> bool:
    """Whether it is in ALARM or was since then, be it for a moment; one that is not there is not."""
    record = house.records.find(ALARMS, scope, name)
    if record is None:
        return False
    events = house.records.events(record)
    return record.state == ALARM or any(event.state == ALARM and event.at >= since for event in events)


def _actions(record: Record) -> list[str]:
    enabled = record.document["ActionsEnabled"]
    return list(record.document[ACTIONS[record.state.status]]) if enabled else []


def _deliver(house: House, record: Record, arn: str) -> str:
    """Why it could not be delivered; empty where it was."""
    subject = f'{record.state.status}: "{record.name}" in {record.scope.region}'
    try:
        publish(house, arn, orjson.dumps(notification(record)).decode(), subject)
    except NoDestination as error:
        return str(error)
    except Exception as error:
        log.exception("alarm %s: the action %s failed", record.name, arn)
        return str(error)
    return ""


def notification(record: Record) -> dict[str, Any]:
    """What a topic's subscribers read."""
    alarm = record.document
    (query, *others) = queries_of(alarm)
    stat = query.get("MetricStat", {})
    single = {} if others else {**stat.get("Metric", {}), "Statistic": stat.get("Stat"), "Period": stat.get("Period")}
    return {
        "AlarmName": record.name,
        "AlarmDescription": alarm.get("AlarmDescription"),
        "AWSAccountId": record.scope.account,
        "AlarmConfigurationUpdatedTimestamp": _iso(alarm["AlarmConfigurationUpdatedTimestamp"]),
        "NewStateValue": record.state.status,
        "NewStateReason": alarm["StateReason"],
        "StateChangeTime": _iso(alarm["StateTransitionedTimestamp"]),
        "Region": record.scope.region,
        "AlarmArn": record.arn,
        "OldStateValue": alarm["From"],
        **{member: list(alarm[member]) for member in ACTIONS.values()},
        "Trigger": {
            **single,
            **({"Metrics": alarm["Metrics"]} if others else {}),
            **{k: alarm[k] for k in ("EvaluationPeriods", "ComparisonOperator", "Threshold")},
            "TreatMissingData": alarm.get("TreatMissingData", "missing"),
        },
    }


def _iso(at: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.000+0000", time.gmtime(at))
