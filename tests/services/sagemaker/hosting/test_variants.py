"""Several variants behind one endpoint: traffic by weight, and shadows that nobody notices."""

import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.platform import Platform
from tests.programs import unique, wait_until
from tests.services.sagemaker.hosting.test_endpoints import Endpoint

SHADOW = """
import time

def model_fn(model_dir):
    return None

def input_fn(body, content_type):
    return body.decode() if isinstance(body, bytes) else body

def predict_fn(data, model):
    print("mirrored", data, flush=True)
    if data == "slow":
        time.sleep(3)
    raise ValueError("nobody sees this")
"""
CALLS = 400
CRITICAL = 10.83
"""Of chi-square with one degree of freedom: a fair choice is beyond it once in a thousand times."""


@pytest.fixture
def endpoint(platform: Platform) -> Iterator[Endpoint]:
    made = Endpoint(platform)
    yield made
    if not made.gone():
        made.delete()


def test_calls_are_shared_by_weight(endpoint: Endpoint) -> None:
    weights = {"A": 3.0, "B": 1.0}
    config = endpoint.config(*((name, endpoint.model(name), weight) for name, weight in weights.items()))
    endpoint.create(config)

    def invoked() -> str:
        answer = endpoint.runtime.invoke_endpoint(EndpointName=endpoint.name, Body="x", InferenceId="one")
        named: str = answer["InvokedProductionVariant"]
        assert answer["Body"].read().decode() == f"{named}:x"
        return named

    seen = Counter(invoked() for _ in range(CALLS))
    expected = {name: CALLS * weight / sum(weights.values()) for name, weight in weights.items()}
    assert sum((seen[name] - count) ** 2 / count for name, count in expected.items()) < CRITICAL


def with_shadow(endpoint: Endpoint) -> str:
    name = unique("config")

    def variant(name: str, model: str) -> dict[str, Any]:
        return {"VariantName": name, "ModelName": model, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}

    endpoint.sagemaker.create_endpoint_config(
        EndpointConfigName=name,
        ProductionVariants=[variant("A", endpoint.model("seen"))],
        ShadowProductionVariants=[variant("S", endpoint.model("unseen", script=SHADOW))],
    )
    return name


def test_a_shadow_gets_copies_that_nobody_notices(endpoint: Endpoint) -> None:
    config = with_shadow(endpoint)
    described = endpoint.create(config)
    (shadow,) = described["ShadowProductionVariants"]
    assert (shadow["VariantName"], shadow["CurrentInstanceCount"]) == ("S", 1)
    assert [variant["VariantName"] for variant in described["ProductionVariants"]] == ["A"]
    began = time.monotonic()
    assert [endpoint.ask(body) for body in ("slow", "one", "two")] == ["seen:slow", "seen:one", "seen:two"]
    assert time.monotonic() - began < 2
    with pytest.raises(ClientError, match="Variant S"):
        endpoint.ask("x", TargetVariant="S")
    logs = endpoint.platform.client("logs")

    def mirrored() -> bool:
        events = logs.filter_log_events(
            logGroupName=f"/aws/sagemaker/Endpoints/{endpoint.name}", logStreamNamePrefix="S/"
        )
        words = {event["message"].strip() for event in events["events"]}
        return {"mirrored slow", "mirrored one", "mirrored two"} <= words

    wait_until(mirrored)
    kept = endpoint.sagemaker.describe_endpoint_config(EndpointConfigName=config)
    assert kept["ShadowProductionVariants"][0]["VariantName"] == "S"


def test_a_shadow_stands_beside_one_production_variant(endpoint: Endpoint) -> None:
    model = endpoint.model("x")
    variant = {"ModelName": model, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    with pytest.raises(ClientError, match="one production variant and one shadow"):
        endpoint.sagemaker.create_endpoint_config(
            EndpointConfigName=unique("config"),
            ProductionVariants=[{"VariantName": "A", **variant}, {"VariantName": "B", **variant}],
            ShadowProductionVariants=[{"VariantName": "S", **variant}],
        )
