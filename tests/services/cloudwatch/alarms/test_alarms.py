"""Alarms through boto3, on metrics that were just put."""

import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.platform import Platform
from tests.programs import unique, wait_until

PERIOD = 10


class Alarm:
    def __init__(self, platform: Platform) -> None:
        self.cloudwatch = platform.client("cloudwatch")
        self.name, self.namespace = unique("alarm"), unique("Test")

    def measure(self, value: float, periods_ago: int = 1) -> None:
        """In a period that is over, so that the next evaluation counts it."""
        at = time.time() // PERIOD * PERIOD - PERIOD * periods_ago + 1
        self.cloudwatch.put_metric_data(
            Namespace=self.namespace, MetricData=[{"MetricName": "loss", "Timestamp": at, "Value": value}]
        )

    def put(self, **options: Any) -> None:
        request = {
            "Namespace": self.namespace,
            "MetricName": "loss",
            "Statistic": "Average",
            "Period": PERIOD,
            "EvaluationPeriods": 1,
            "Threshold": 5.0,
            "ComparisonOperator": "GreaterThanThreshold",
            **options,
        }
        self.cloudwatch.put_metric_alarm(AlarmName=self.name, **request)

    def described(self) -> dict[str, Any]:
        (alarm,) = self.cloudwatch.describe_alarms(AlarmNames=[self.name])["MetricAlarms"]
        found: dict[str, Any] = alarm
        return found

    def comes_to_be(self, state: str) -> dict[str, Any]:
        wait_until(lambda: self.described()["StateValue"] == state)
        return self.described()

    def history(self, kind: str) -> list[str]:
        items = self.cloudwatch.describe_alarm_history(AlarmName=self.name, HistoryItemType=kind)["AlarmHistoryItems"]
        return [item["HistorySummary"] for item in items]


@pytest.fixture
def alarm(platform: Platform) -> Alarm:
    return Alarm(platform)


def test_an_alarm_follows_its_metric(alarm: Alarm) -> None:
    alarm.measure(9.0)
    alarm.put(AlarmDescription="too much", Tags=[{"Key": "team", "Value": "a"}])
    seen = alarm.comes_to_be("ALARM")
    assert "greater than the threshold (5.0)" in seen["StateReason"]
    assert json.loads(seen["StateReasonData"])["recentDatapoints"] == [9.0]
    assert (seen["AlarmDescription"], seen["ActionsEnabled"]) == ("too much", True)
    alarm.put(Threshold=10.0)
    assert alarm.comes_to_be("OK")["AlarmArn"] == seen["AlarmArn"]
    assert alarm.history("StateUpdate") == [
        "Alarm updated from ALARM to OK",
        "Alarm updated from INSUFFICIENT_DATA to ALARM",
    ]
    assert len(alarm.history("ConfigurationUpdate")) == 2
    tags = alarm.cloudwatch.list_tags_for_resource(ResourceARN=seen["AlarmArn"])["Tags"]
    assert tags == [{"Key": "team", "Value": "a"}]


def test_an_alarm_on_an_expression_follows_it(alarm: Alarm) -> None:
    alarm.measure(4.0)
    metric = {"Metric": {"Namespace": alarm.namespace, "MetricName": "loss"}, "Period": PERIOD, "Stat": "Sum"}
    alarm.cloudwatch.put_metric_alarm(
        AlarmName=alarm.name,
        Metrics=[
            {"Id": "m", "MetricStat": metric, "ReturnData": False},
            {"Id": "double", "Expression": "m * 2"},
        ],
        EvaluationPeriods=1,
        Threshold=8.0,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
    )
    assert "8.0" in alarm.comes_to_be("ALARM")["StateReason"]


def test_a_state_can_be_set_for_a_while(alarm: Alarm) -> None:
    alarm.put()
    alarm.cloudwatch.set_alarm_state(AlarmName=alarm.name, StateValue="ALARM", StateReason="a drill")
    assert "Alarm updated from INSUFFICIENT_DATA to ALARM" in alarm.history("StateUpdate")
    alarm.cloudwatch.disable_alarm_actions(AlarmNames=[alarm.name])
    assert not alarm.described()["ActionsEnabled"]
    alarm.cloudwatch.enable_alarm_actions(AlarmNames=[alarm.name])
    assert alarm.described()["ActionsEnabled"]


def test_alarms_are_found_by_name_state_and_metric(alarm: Alarm) -> None:
    prefix = alarm.name
    for number in range(3):
        alarm.name = f"{prefix}-{number}"
        alarm.put(Dimensions=[{"Name": "n", "Value": str(number)}])
    cloudwatch = alarm.cloudwatch
    pages = cloudwatch.get_paginator("describe_alarms").paginate(
        AlarmNamePrefix=prefix, StateValue="INSUFFICIENT_DATA", PaginationConfig={"PageSize": 2}
    )
    assert [[each["AlarmName"][-1] for each in page["MetricAlarms"]] for page in pages] == [["0", "1"], ["2"]]
    dimensions = [{"Name": "n", "Value": "1"}]
    (found,) = cloudwatch.describe_alarms_for_metric(
        Namespace=alarm.namespace, MetricName="loss", Dimensions=dimensions
    )["MetricAlarms"]
    assert found["AlarmName"] == f"{prefix}-1"
    cloudwatch.delete_alarms(AlarmNames=[f"{prefix}-{number}" for number in range(3)])
    assert not cloudwatch.describe_alarms(AlarmNamePrefix=prefix)["MetricAlarms"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"Period": 15}, "Period must be"),
        ({"DatapointsToAlarm": 2}, "less than or equal"),
        ({"TreatMissingData": "perhaps"}, "TreatMissingData perhaps"),
        ({"ExtendedStatistic": "p99"}, "not both"),
        ({"AlarmActions": ["arn:aws:ssm:us-east-1:123456789012:opsitem:1"]}, "Alarm actions of ssm are not built"),
        ({"ComparisonOperator": "GreaterThanUpperThreshold"}, "Anomaly detection is not built"),
    ],
)
def test_what_cannot_be_evaluated_is_refused(alarm: Alarm, options: dict[str, Any], words: str) -> None:
    with pytest.raises(ClientError, match=words):
        alarm.put(**options)


def test_an_unknown_alarm_is_not_found(alarm: Alarm) -> None:
    for call in (
        lambda: alarm.cloudwatch.delete_alarms(AlarmNames=["nowhere"]),
        lambda: alarm.cloudwatch.set_alarm_state(AlarmName="nowhere", StateValue="OK", StateReason="x"),
    ):
        with pytest.raises(ClientError) as raised:
            call()
        assert raised.value.response["Error"]["Code"] == "ResourceNotFound"
