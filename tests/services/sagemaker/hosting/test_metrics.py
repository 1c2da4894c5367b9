"""What invocations leave in CloudWatch, asked for as its console asks."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from clary.records.record import Scope
from clary.routing.traffic import Count, Invoked
from clary.services.sagemaker.hosting.metrics import WINDOW, samples_of
from tests.platform import Platform
from tests.programs import wait_until
from tests.services.sagemaker.hosting.test_endpoints import Endpoint

ASKED, FAILED = 6, 2


@pytest.fixture
def endpoint(platform: Platform) -> Iterator[Endpoint]:
    made = Endpoint(platform)
    made.create(made.config(("A", made.model("hello"), 1.0), count=2))
    yield made
    made.delete()


def test_invocations_are_measured_by_variant(endpoint: Endpoint) -> None:
    for _ in range(ASKED - FAILED):
        endpoint.ask("x")
    for _ in range(FAILED):
        with pytest.raises(ClientError):
            endpoint.ask("raise")
    cloudwatch = endpoint.platform.client("cloudwatch")
    dimensions = [{"Name": "EndpointName", "Value": endpoint.name}, {"Name": "VariantName", "Value": "A"}]

    def statistics(name: str, *wanted: str, namespace: str = "AWS/SageMaker", **options: Any) -> dict[str, Any]:
        now = datetime.now(UTC)
        points = cloudwatch.get_metric_statistics(
            Namespace=namespace,
            MetricName=name,
            Dimensions=dimensions,
            StartTime=now - timedelta(hours=1),
            EndTime=now + timedelta(minutes=1),
            Period=3600 * 2,
            **({"Statistics": list(wanted)} if wanted else options),
        )["Datapoints"]
        found: dict[str, Any] = points[0] if points else {}
        return found

    wait_until(lambda: statistics("Invocations", "Sum").get("Sum") == ASKED)
    assert statistics("Invocations", "Sum")["Unit"] == "None"
    assert statistics("InvocationsPerInstance", "Sum")["Sum"] == ASKED / 2
    assert statistics("Invocation4XXErrors", "Sum")["Sum"] == 0
    errors = statistics("Invocation5XXErrors", "Sum", "Average")
    assert (errors["Sum"], errors["Average"]) == (FAILED, FAILED / ASKED)
    assert statistics("InvocationModelErrors", "Sum")["Sum"] == FAILED
    for name in ("ModelLatency", "OverheadLatency"):
        latency = statistics(name, "SampleCount", "Minimum", "Average", "Maximum")
        assert latency["Unit"] == "Microseconds"
        assert latency["SampleCount"] == ASKED
        assert 0 < latency["Minimum"] <= latency["Average"] <= latency["Maximum"]
    assert statistics("ModelLatency", ExtendedStatistics=["p99"])["ExtendedStatistics"]["p99"] > 0
    for name in ("CPUUtilization", "MemoryUtilization", "DiskUtilization"):
        used = wait_until(lambda: statistics(name, "Maximum", namespace="/aws/sagemaker/Endpoints"))  # noqa: B023
        assert used["Unit"] == "Percent"
        assert used["Maximum"] > 0
    listed = cloudwatch.list_metrics(Namespace="AWS/SageMaker", Dimensions=dimensions)["Metrics"]
    assert "ConcurrentRequestsPerModel" in {metric["MetricName"] for metric in listed}


def test_concurrency_is_of_each_instance() -> None:
    count = Count(invocations=40)
    for _ in range(40):
        count.model_latency.add(1.0)
    invoked = Invoked(Scope("123456789012", "us-east-1"), "e", "A")
    found = {series.name: sample for series, sample in samples_of(invoked, count, at=0.0, instances=2)}
    assert found["ConcurrentRequestsPerModel"].sum == pytest.approx(40 / WINDOW / 2)


def test_components_are_measured_by_copy_and_tell_of_calls_that_none_could_answer() -> None:
    invoked = Invoked(Scope("123456789012", "us-east-1"), "e", "A", "c")
    count = Count(invocations=4, turned_away=3)
    found = {series.name: (series, sample) for series, sample in samples_of(invoked, count, at=0.0, instances=2)}
    series, sample = found["InvocationsPerCopy"]
    assert (series.dimensions, sample.sum) == ({"InferenceComponentName": "c"}, 2.0)
    assert found["NoCapacityInvocationFailures"][1].sum == 3
    assert "InvocationsPerInstance" not in found
