"""Updates under a steady load: every kind of deployment, and every way back, without a call that fails."""

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.platform import Platform
from tests.programs import unique, wait_until
from tests.services.sagemaker.hosting.test_endpoints import Endpoint

ONE = {"Type": "INSTANCE_COUNT", "Value": 1}
HALF = {"Type": "CAPACITY_PERCENT", "Value": 50}


class Load:
    """Two clients that ask the endpoint again and again; their first failure is raised at the end."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._over = threading.Event()
        self._threads = ThreadPoolExecutor(2)
        self.answers: Counter[str] = Counter()
        self._asking: list[Future[None]] = [self._threads.submit(self._ask) for _ in range(2)]

    def _ask(self) -> None:
        while not self._over.is_set():
            self.answers[self._endpoint.ask("x").removesuffix(":x")] += 1

    def end(self) -> None:
        self._over.set()
        for one in self._asking:
            one.result()
        self._threads.shutdown()

    def answered_by(self, *words: str) -> None:
        """Wait until all of these have answered from now on, and no call failed."""
        self.answers.clear()
        wait_until(lambda: set(words) <= set(self.answers) or any(one.done() for one in self._asking))
        assert not any(one.done() for one in self._asking)


@pytest.fixture(scope="module")
def endpoint(platform: Platform) -> Iterator[Endpoint]:
    made = Endpoint(platform)
    assert made.create(made.config(("A", made.model("first"), 1.0), count=2))["EndpointStatus"] == "InService"
    yield made
    made.delete()


@pytest.fixture
def load(endpoint: Endpoint) -> Iterator[Load]:
    made = Load(endpoint)
    yield made
    made.end()


@pytest.fixture
def alarm(platform: Platform) -> str:
    name = unique("alarm")
    platform.client("cloudwatch").put_metric_alarm(
        AlarmName=name,
        Namespace="Test",
        MetricName="errors",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1.0,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="ignore",
    )
    return name


def update(endpoint: Endpoint, word: str, config: dict[str, Any], **options: Any) -> str:
    new = endpoint.config(("A", endpoint.model(word), 1.0), count=2)
    endpoint.sagemaker.update_endpoint(
        EndpointName=endpoint.name, EndpointConfigName=new, DeploymentConfig=config, **options
    )
    return new


def blue_green(kind: str, wait: int, **options: Any) -> dict[str, Any]:
    routing = {"Type": kind, "WaitIntervalInSeconds": wait, **options}
    return {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing}}


def rolling(wait: int, **options: Any) -> dict[str, Any]:
    return {"RollingUpdatePolicy": {"MaximumBatchSize": ONE, "WaitIntervalInSeconds": wait, **options}}


def guarded(config: dict[str, Any], alarm: str) -> dict[str, Any]:
    return {**config, "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": alarm}]}}


def baking(endpoint: Endpoint) -> dict[str, Any]:
    """What is told of the update once the first stage of it takes traffic."""

    def look() -> dict[str, Any] | None:
        described = endpoint.sagemaker.describe_endpoint(EndpointName=endpoint.name)
        pending = described.get("PendingDeploymentSummary")
        statuses = pending["ProductionVariants"][0]["VariantStatus"] if pending else []
        return pending if [each["Status"] for each in statuses] == ["Baking"] else None

    seen: dict[str, Any] = wait_until(look)
    return seen


@pytest.mark.parametrize(
    ("word", "config"),
    [
        ("canary", blue_green("CANARY", 1, CanarySize=ONE)),
        ("linear", blue_green("LINEAR", 1, LinearStepSize=HALF)),
        ("rolling", rolling(1)),
    ],
)
def test_no_call_fails_while_traffic_moves(endpoint: Endpoint, load: Load, word: str, config: dict[str, Any]) -> None:
    before = endpoint.ask("x").removesuffix(":x")
    new = update(endpoint, word, config)
    pending = baking(endpoint)
    assert pending["EndpointConfigName"] == new
    assert pending["ProductionVariants"][0]["CurrentWeight"] == 0.5
    load.answered_by(before, word)
    described = endpoint.settled()
    assert described["EndpointConfigName"] == new
    assert described["LastDeploymentConfig"] == config
    assert "PendingDeploymentSummary" not in described
    load.answered_by(word)
    assert set(load.answers) == {word}


@pytest.mark.parametrize(
    "config",
    [
        blue_green("ALL_AT_ONCE", 60),
        blue_green("CANARY", 60, CanarySize=HALF),
        rolling(60, RollbackMaximumBatchSize=ONE),
    ],
)
def test_an_alarm_takes_the_update_back_without_a_failed_call(
    endpoint: Endpoint, load: Load, alarm: str, config: dict[str, Any]
) -> None:
    old = endpoint.settled()["EndpointConfigName"]
    before = endpoint.ask("x").removesuffix(":x")
    update(endpoint, "worse", guarded(config, alarm))
    baking(endpoint)
    load.answered_by("worse")
    endpoint.platform.client("cloudwatch").set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="a drill")
    described = endpoint.settled()
    assert (described["EndpointStatus"], described["EndpointConfigName"]) == ("InService", old)
    assert alarm in described["FailureReason"]
    load.answered_by(before)
    assert set(load.answers) == {before}


def test_the_last_deployment_config_is_used_again(endpoint: Endpoint) -> None:
    config = blue_green("ALL_AT_ONCE", 0)
    update(endpoint, "again", config)
    endpoint.settled()
    new = endpoint.config(("A", endpoint.model("last"), 1.0), count=1)
    endpoint.sagemaker.update_endpoint(
        EndpointName=endpoint.name,
        EndpointConfigName=new,
        RetainDeploymentConfig=True,
        RetainAllVariantProperties=True,
        ExcludeRetainedVariantProperties=[{"VariantPropertyType": "DesiredWeight"}],
    )
    described = endpoint.settled()
    assert described["LastDeploymentConfig"] == config
    assert described["ProductionVariants"][0]["DesiredInstanceCount"] == 2


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (blue_green("CANARY", 0), "CanarySize must be specified"),
        (blue_green("ALL_AT_ONCE", 0, CanarySize=ONE), "CanarySize cannot be specified"),
        (blue_green("CANARY", 0, CanarySize={"Type": "CAPACITY_PERCENT", "Value": 60}), "between 0% and 50%"),
        ({**blue_green("ALL_AT_ONCE", 0), **rolling(0)}, "not both"),
        (guarded(rolling(0), "nowhere"), "nowhere of AutoRollbackConfiguration does not exist"),
        (rolling(3600, MaximumExecutionTimeoutInSeconds=600), "must be more than the 7200 s"),
    ],
)
def test_a_deployment_that_cannot_be_is_refused(endpoint: Endpoint, config: dict[str, Any], words: str) -> None:
    with pytest.raises(ClientError, match=words):
        update(endpoint, "never", config)


def test_capacity_that_cannot_be_had_is_given_back(platform: Platform) -> None:
    endpoint = Endpoint(platform)
    model = endpoint.model("only")
    endpoint.create(endpoint.config(("A", model, 1.0)))
    url = endpoint.sagemaker.describe_model(ModelName=model)["PrimaryContainer"]["ModelDataUrl"]
    bucket, _, key = url.removeprefix("s3://").partition("/")
    platform.client("s3").delete_object(Bucket=bucket, Key=key)
    endpoint.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=endpoint.name, DesiredWeightsAndCapacities=[{"VariantName": "A", "DesiredInstanceCount": 2}]
    )
    described = endpoint.settled()
    assert described["ProductionVariants"][0]["DesiredInstanceCount"] == 1
    assert url in described["FailureReason"]
    assert endpoint.ask("x") == "only:x"
    endpoint.delete()


def test_a_killed_platform_goes_on_with_the_update(own_platform: Platform) -> None:
    endpoint = Endpoint(own_platform)
    endpoint.create(endpoint.config(("A", endpoint.model("old"), 1.0), count=2))
    new = update(endpoint, "new", blue_green("CANARY", 2, CanarySize=HALF))
    baking(endpoint)
    own_platform.kill()
    own_platform.up()
    again = Endpoint(own_platform)
    again.name = endpoint.name
    assert baking(again)["EndpointConfigName"] == new
    assert again.settled()["EndpointConfigName"] == new
    assert again.ask("x") == "new:x"
