"""What PutMetricAlarm may ask for, and the queries that an alarm's metric comes from."""

from typing import Any

from clary.arns import read_arn
from clary.control.call import Call
from clary.services.cloudwatch.errors import bad_combination, bad_value, missing
from clary.services.cloudwatch.expressions import variables
from clary.services.cloudwatch.statistics import MINUTE, check_statistic

ACTIONS = {"OK": "OKActions", "ALARM": "AlarmActions", "INSUFFICIENT_DATA": "InsufficientDataActions"}
HIGH_RESOLUTION = (10, 20, 30)
TREATMENTS = ("breaching", "notBreaching", "ignore", "missing")
LONGEST_RANGE = 24 * 3600
"""Seconds that `EvaluationPeriods` may span where the period is below an hour; a week where it is not."""
NOT_BUILT = (
    "ThresholdMetricId",
    "EvaluationWindow",
    "WarmUpConfiguration",
    "EvaluationCriteria",
    "EvaluationInterval",
    "ActionConfiguration",
)


def configuration_of(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """What an alarm's document keeps of a request that is right."""
    _refuse_what_is_not_built(call, request)
    if ("MetricName" in request) == ("Metrics" in request):
        raise bad_combination("An alarm needs either MetricName or Metrics, and not both.")
    if "MetricName" in request:
        _check_metric(request)
    else:
        _check_queries(request["Metrics"])
    for member in ("Threshold", "EvaluationPeriods", "ComparisonOperator"):
        if member not in request:
            raise missing(f"The parameter {member} is required.")
    treatment = request.get("TreatMissingData", "missing")
    if treatment not in TREATMENTS:
        raise bad_value(f"The TreatMissingData {treatment} is not one of {', '.join(TREATMENTS)}.")
    if request.get("DatapointsToAlarm", 1) > request["EvaluationPeriods"]:
        raise bad_value("The DatapointsToAlarm must be less than or equal to the EvaluationPeriods.")
    period = period_of(request)
    if period * request["EvaluationPeriods"] > (LONGEST_RANGE if period < 3600 else 7 * LONGEST_RANGE):
        raise bad_value("Metrics cannot be checked across more than a day (EvaluationPeriods * Period).")
    asked = {member: value for member, value in request.items() if member not in ("AlarmName", "Tags")}
    return {"ActionsEnabled": True, "Dimensions": [], **{member: [] for member in ACTIONS.values()}, **asked}


def queries_of(alarm: dict[str, Any]) -> list[dict[str, Any]]:
    """As GetMetricData takes them; the one that returns data is what is held against the threshold."""
    if "Metrics" in alarm:
        return list(alarm["Metrics"])
    metric = {member: alarm[member] for member in ("Namespace", "MetricName", "Dimensions")}
    unit = {"Unit": alarm["Unit"]} if "Unit" in alarm else {}
    stat = alarm.get("Statistic") or alarm["ExtendedStatistic"]
    return [{"Id": "m1", "MetricStat": {"Metric": metric, "Period": alarm["Period"], "Stat": stat, **unit}}]


def returned_id(queries: list[dict[str, Any]]) -> str:
    (identifier,) = [query["Id"] for query in queries if query.get("ReturnData", True)]
    return str(identifier)


def period_of(alarm: dict[str, Any]) -> int:
    """Seconds; of several metrics the longest."""
    if "Period" in alarm:
        return int(alarm["Period"])
    return max(int(query["MetricStat"]["Period"]) for query in alarm["Metrics"] if "MetricStat" in query)


def _check_metric(request: dict[str, Any]) -> None:
    for member in ("Namespace", "Period"):
        if member not in request:
            raise missing(f"The parameter {member} is required.")
    if ("Statistic" in request) == ("ExtendedStatistic" in request):
        raise bad_combination("An alarm needs either Statistic or ExtendedStatistic, and not both.")
    if "ExtendedStatistic" in request:
        check_statistic(request["ExtendedStatistic"])
    _check_period(request["Period"])


def _check_queries(queries: list[dict[str, Any]]) -> None:
    if sum(query.get("ReturnData", True) for query in queries) != 1:
        raise bad_value("Exactly one element of the Metrics list should return data.")
    stats = [query["MetricStat"] for query in queries if "MetricStat" in query]
    if not stats:
        raise bad_value("The Metrics of an alarm must have at least one MetricStat.")
    for stat in stats:
        _check_period(stat["Period"])
        check_statistic(stat["Stat"])
    for query in queries:
        if "AccountId" in query:
            raise bad_combination("Metrics of other accounts are not built in Clary yet.")
        if "Expression" in query:
            variables(query["Expression"])


def _check_period(period: int) -> None:
    if period % MINUTE and period not in HIGH_RESOLUTION:
        raise bad_value("Period must be 10, 20, 30 or a multiple of 60.")


def _refuse_what_is_not_built(call: Call, request: dict[str, Any]) -> None:
    for member in NOT_BUILT:
        if member in request:
            raise bad_combination(f"{member} is not built in Clary yet.")
    if request.get("EvaluateLowSampleCountPercentile", "evaluate") != "evaluate":
        raise bad_combination("EvaluateLowSampleCountPercentile other than evaluate is not built in Clary yet.")
    if request.get("ComparisonOperator", "").endswith(("UpperThreshold", "LowerThreshold")):
        raise bad_combination("Anomaly detection is not built in Clary yet.")
    for arn in (arn for member in ACTIONS.values() for arn in request.get(member, [])):
        read = read_arn(arn)
        if read is None:
            raise bad_value(f"Invalid arn syntax: {arn}")
        if read.service not in call.house.destinations:
            raise bad_combination(f"Alarm actions of {read.service} are not built in Clary yet.")
