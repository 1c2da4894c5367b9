"""Shares of a GPU: refused where there is none, reserved where an operator says that there is one."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.platform import Platform
from tests.programs import unique
from tests.services.sagemaker.hosting.test_endpoints import Endpoint

SHARED = "ml.eia2.medium"


@pytest.fixture
def platform(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    """One that offers the GPUs that the test says, whatever the machine has."""
    monkeypatch.setenv("CLARY_CAPACITY", request.param)
    started = Platform(tmp_path / "state").up()
    yield started
    started.down()


def config(endpoint: Endpoint) -> str:
    name = unique("config")
    variant: dict[str, Any] = {
        "VariantName": "A",
        "ModelName": endpoint.model("hello"),
        "InitialInstanceCount": 2,
        "InstanceType": "ml.m5.large",
        "AcceleratorType": SHARED,
    }
    endpoint.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    return name


@pytest.mark.parametrize("platform", ["gpus=0"], indirect=True)
def test_a_share_of_no_gpu_is_refused(platform: Platform) -> None:
    with pytest.raises(ClientError, match="which is a share of a GPU here, and there is no GPU"):
        config(Endpoint(platform))


@pytest.mark.parametrize("platform", ["gpus=1"], indirect=True)
def test_two_shares_are_of_one_gpu(platform: Platform) -> None:
    endpoint = Endpoint(platform)
    assert endpoint.create(config(endpoint))["EndpointStatus"] == "InService"
    specs = [json.loads(path.read_text()) for path in (platform.state / "instances").glob("*/spec.json")]
    assert [spec["gpus"] for spec in specs if spec["serves"]] == [0.25, 0.25]
    assert endpoint.ask("x") == "hello:x"
