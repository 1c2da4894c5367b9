"""Serverless variants: asleep until they are called, and again when nobody calls."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.platform import Platform
from tests.programs import wait_until
from tests.services.sagemaker.hosting.test_endpoints import Endpoint

SCRIPT = """
import time

def model_fn(model_dir):
    return open(model_dir + "/word.txt").read()

def transform_fn(model, body, content_type, accept):
    text = body if isinstance(body, str) else body.decode()
    if text == "slow":
        time.sleep(2)
    return f"{model}:{text}", "text/plain"
"""


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A platform whose serverless variants go to sleep soon."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLARY_SERVERLESS_IDLE", "2")
        started = Platform(tmp_path_factory.mktemp("clary") / "state").up()
    yield started
    started.down()


@pytest.fixture
def endpoint(impatient: Platform) -> Iterator[Endpoint]:
    made = Endpoint(impatient)
    yield made
    made.sagemaker.delete_endpoint(EndpointName=made.name)


def config(endpoint: Endpoint, model: str, **serverless: int) -> str:
    name = f"{endpoint.name}-config"
    variant = {"VariantName": "all", "ModelName": model, "ServerlessConfig": {"MemorySizeInMB": 2048, **serverless}}
    endpoint.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    return name


def told(endpoint: Endpoint) -> dict[str, Any]:
    [variant] = endpoint.sagemaker.describe_endpoint(EndpointName=endpoint.name)["ProductionVariants"]
    summary: dict[str, Any] = variant
    return summary


def test_it_wakes_when_it_is_called_and_sleeps_when_it_is_not(endpoint: Endpoint) -> None:
    made = endpoint.create(config(endpoint, endpoint.model("a", SCRIPT), MaxConcurrency=2))
    assert made["EndpointStatus"] == "InService"
    variant = told(endpoint)
    assert variant["CurrentServerlessConfig"] == {"MemorySizeInMB": 2048, "MaxConcurrency": 2}
    assert variant["CurrentInstanceCount"] == 0
    assert endpoint.ask("1") == "a:1"
    assert told(endpoint)["CurrentInstanceCount"] == 1
    wait_until(lambda: told(endpoint)["CurrentInstanceCount"] == 0)
    # Two wait for the one instance that their calls ask for, and count for it: the third is too many.
    with ThreadPoolExecutor(3) as callers:
        assert sorted(callers.map(lambda _: asked(endpoint, "slow"), range(3))) == [
            "ThrottlingException",
            *["a:slow"] * 2,
        ]
    assert endpoint.ask("2") == "a:2"


def asked(endpoint: Endpoint, body: str) -> str:
    """The answer, or the code of the error."""
    try:
        return endpoint.ask(body)
    except ClientError as error:
        return str(error.response["Error"]["Code"])


def test_provisioned_concurrency_keeps_it_awake(endpoint: Endpoint) -> None:
    endpoint.create(config(endpoint, endpoint.model("a", SCRIPT), MaxConcurrency=2, ProvisionedConcurrency=1))
    assert told(endpoint)["CurrentInstanceCount"] == 1
    update = {"VariantName": "all", "ServerlessUpdateConfig": {"MaxConcurrency": 5, "ProvisionedConcurrency": 5}}
    endpoint.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=endpoint.name, DesiredWeightsAndCapacities=[update]
    )
    assert endpoint.settled()["EndpointStatus"] == "InService"
    assert told(endpoint)["CurrentServerlessConfig"] == {
        "MemorySizeInMB": 2048,
        "MaxConcurrency": 5,
        "ProvisionedConcurrency": 5,
    }
    assert endpoint.ask("x") == "a:x"


@pytest.mark.parametrize(
    ("serverless", "variant", "why"),
    [
        ({"MemorySizeInMB": 2000, "MaxConcurrency": 1}, {}, "MemorySizeInMB is 2000"),
        ({"MemorySizeInMB": 1024, "MaxConcurrency": 1, "ProvisionedConcurrency": 2}, {}, "must be less than or equal"),
        ({"MemorySizeInMB": 1024, "MaxConcurrency": 1}, {"InstanceType": "ml.m5.large"}, "InstanceType cannot be"),
    ],
)
def test_what_does_not_go_together_is_refused(
    impatient: Platform, serverless: dict[str, int], variant: dict[str, str], why: str
) -> None:
    made = Endpoint(impatient)
    asked = {"VariantName": "all", "ModelName": made.model("a"), "ServerlessConfig": serverless, **variant}
    with pytest.raises(ClientError, match=why):
        made.sagemaker.create_endpoint_config(EndpointConfigName="bad", ProductionVariants=[asked])
