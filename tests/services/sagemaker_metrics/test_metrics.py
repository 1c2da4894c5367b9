"""BatchPutMetrics and BatchGetMetrics through boto3: what is told of the values that were put."""

import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.platform import Platform
from tests.programs import unique


def datum(name: str, value: float, at: float | None = None) -> dict[str, Any]:
    return {"MetricName": name, "Value": value, "Timestamp": time.time() if at is None else at}


def test_values_become_a_summary_that_search_knows(platform: Platform) -> None:
    sagemaker, metrics = platform.client("sagemaker"), platform.client("sagemaker-metrics")
    name, now = unique("component"), int(time.time())
    sagemaker.create_trial_component(TrialComponentName=name)
    answer = metrics.batch_put_metrics(
        TrialComponentName=name,
        MetricData=[datum("test:loss", value, now + step) for step, value in enumerate((4.0, 1.0, 1.0))],
    )
    assert "Errors" not in answer
    metrics.batch_put_metrics(TrialComponentName=name, MetricData=[datum("test:loss", 2.0, now - 60)])
    told = sagemaker.describe_trial_component(TrialComponentName=name)
    (summary,) = told["Metrics"]
    assert summary.pop("TimeStamp").timestamp() == now + 2
    assert summary.pop("StdDev") == pytest.approx(1.2247, abs=1e-4)
    assert summary == {
        "MetricName": "test:loss",
        "SourceArn": told["TrialComponentArn"],
        "Count": 4,
        "Min": 1.0,
        "Max": 4.0,
        "Avg": 2.0,
        "Last": 1.0,
    }
    found = sagemaker.search(
        Resource="ExperimentTrialComponent",
        SearchExpression={
            "Filters": [
                {"Name": "TrialComponentName", "Operator": "Equals", "Value": name},
                {"Name": "metrics.test:loss.max", "Operator": "GreaterThan", "Value": "3.9"},
            ]
        },
    )
    assert [result["TrialComponent"]["TrialComponentName"] for result in found["Results"]] == [name]


def test_what_cannot_be_kept_is_told_and_the_rest_is_kept(platform: Platform) -> None:
    sagemaker, metrics = platform.client("sagemaker"), platform.client("sagemaker-metrics")
    name = unique("component")
    sagemaker.create_trial_component(TrialComponentName=name)
    long_ago = time.time() - 30 * 24 * 3600
    answer = metrics.batch_put_metrics(
        TrialComponentName=name, MetricData=[datum("old", 1.0, long_ago), datum("loss", 0.5)]
    )
    assert answer["Errors"] == [{"Code": "VALIDATION_ERROR", "MetricIndex": 0}]
    told = sagemaker.describe_trial_component(TrialComponentName=name)["Metrics"]
    assert [summary["MetricName"] for summary in told] == ["loss"]
    with pytest.raises(ClientError, match="absent"):
        metrics.batch_put_metrics(TrialComponentName="absent", MetricData=[datum("loss", 0.5)])


def test_values_are_told_by_time_and_by_step(platform: Platform) -> None:
    sagemaker, metrics = platform.client("sagemaker"), platform.client("sagemaker-metrics")
    minute = int(time.time()) // 60 * 60
    arn = sagemaker.create_trial_component(TrialComponentName=unique("component"))["TrialComponentArn"]
    data = [
        {**datum("loss", value, minute + 60 + 20 * number), "Step": 10 * number}
        for number, value in enumerate((4.0, 2.0, 3.0, 1.0))
    ]
    metrics.batch_put_metrics(TrialComponentName=arn.rpartition("/")[2], MetricData=data)

    def ask(**query: Any) -> Any:
        asked = {"MetricName": "loss", "ResourceArn": arn, "MetricStat": "Avg", "Period": "OneMinute"}
        (answer,) = metrics.batch_get_metrics(MetricQueries=[{**asked, "XAxisType": "Timestamp", **query}])[
            "MetricQueryResults"
        ]
        return answer["Status"], answer["XAxisValues"], answer["MetricValues"]

    minutes = [(minute + 60) * 1000, (minute + 120) * 1000]
    assert ask() == ("Complete", minutes, [3.0, 1.0])
    assert ask(MetricStat="Count", Start=minutes[1]) == ("Complete", minutes[1:], [1.0])
    steps = {"Period": "IterationNumber", "XAxisType": "IterationNumber", "MetricStat": "Last"}
    assert ask(**steps, End=20) == ("Complete", [0, 10, 20], [4.0, 2.0, 3.0])
    assert ask(XAxisType="IterationNumber") == ("ValidationError", [], [])
    assert ask(ResourceArn=arn[:-1]) == ("ValidationError", [], [])
