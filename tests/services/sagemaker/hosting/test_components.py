"""Inference components through boto3: several models on the instances of one endpoint."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.platform import Platform
from tests.programs import ROLE, SKLEARN, unique, wait_until
from tests.services.sagemaker.hosting.test_containers import container, refused
from tests.services.sagemaker.hosting.test_endpoints import Endpoint


class Hosts(Endpoint):
    """An endpoint without a model of its own, of one instance with 2 vCPUs and 8 GiB."""

    def __init__(self, platform: Platform) -> None:
        super().__init__(platform)
        config = unique("hosts")
        self.sagemaker.create_endpoint_config(
            EndpointConfigName=config,
            ExecutionRoleArn=ROLE,
            ProductionVariants=[
                {
                    "VariantName": "all",
                    "InstanceType": "ml.m5.large",
                    "InitialInstanceCount": 1,
                    "RoutingConfig": {"RoutingStrategy": "RANDOM"},
                }
            ],
        )
        assert self.create(config)["EndpointStatus"] == "InService"

    def component(self, name: str, copies: int = 1, memory: int = 2048, **specification: Any) -> dict[str, Any]:
        self.sagemaker.create_inference_component(
            InferenceComponentName=name,
            EndpointName=self.name,
            VariantName="all",
            Specification={**needs(memory), **specification},
            RuntimeConfig={"CopyCount": copies},
        )
        return self.settled_component(name)

    def settled_component(self, name: str) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            seen: dict[str, Any] = self.sagemaker.describe_inference_component(InferenceComponentName=name)
            return seen if seen["InferenceComponentStatus"] in ("InService", "Failed") else None

        seen: dict[str, Any] = wait_until(look)
        return seen

    def names(self) -> list[str]:
        listed = self.sagemaker.list_inference_components(
            EndpointNameEquals=self.name, SortBy="Name", SortOrder="Ascending"
        )
        return [each["InferenceComponentName"] for each in listed["InferenceComponents"]]


def needs(memory: int) -> dict[str, Any]:
    return {"ComputeResourceRequirements": {"NumberOfCpuCoresRequired": 0.5, "MinMemoryRequiredInMb": memory}}


@pytest.fixture
def hosts(platform: Platform) -> Iterator[Hosts]:
    made = Hosts(platform)
    yield made
    for name in made.names():
        made.sagemaker.delete_inference_component(InferenceComponentName=name)
    wait_until(lambda: not made.names())
    made.delete()


def test_components_share_the_instances_of_an_endpoint(hosts: Hosts) -> None:
    one, two = unique("one"), unique("two")
    given = container(hosts.platform, "first")
    image = {"Image": SKLEARN, "ArtifactUrl": given["ModelDataUrl"], "Environment": given["Environment"]}
    made = hosts.component(one, copies=2, Container=image)
    assert made["InferenceComponentStatus"] == "InService", made.get("FailureReason")
    assert made["RuntimeConfig"] == {"DesiredCopyCount": 2, "CurrentCopyCount": 2}
    assert made["Specification"]["Container"]["DeployedImage"]["SpecifiedImage"] == SKLEARN
    assert hosts.component(two, ModelName=hosts.model("second"))["InferenceComponentStatus"] == "InService"
    assert hosts.names() == sorted([one, two])

    assert hosts.ask("x", InferenceComponentName=two) == "second:x"
    assert hosts.ask("x", InferenceComponentName=one, Accept="text/xml").split()[2] == "first"
    assert "has to give a InferenceComponentName" in refused(hosts.ask, body="x")
    assert "inference component none of" in refused(hosts.ask, body="x", InferenceComponentName="none").lower()
    streams = hosts.platform.client("logs").describe_log_streams(
        logGroupName=f"/aws/sagemaker/InferenceComponents/{one}"
    )
    assert all(stream["logStreamName"].startswith("all/") for stream in streams["logStreams"])

    # Three of 2 GiB are there, and one more of as much has room.
    change = hosts.sagemaker.update_inference_component_runtime_config
    change(InferenceComponentName=two, DesiredRuntimeConfig={"CopyCount": 3})
    kept = hosts.settled_component(two)
    assert "InsufficientCapacity" in kept["FailureReason"]
    assert kept["RuntimeConfig"]["DesiredCopyCount"] == 1
    large = hosts.component(unique("large"), memory=4096, ModelName=hosts.model("large"))
    assert large["InferenceComponentStatus"] == "Failed"
    assert "InsufficientCapacity: 1 copies find no room on the 1 instances" in large["FailureReason"]
    change(InferenceComponentName=two, DesiredRuntimeConfig={"CopyCount": 2})
    assert hosts.settled_component(two)["RuntimeConfig"] == {"DesiredCopyCount": 2, "CurrentCopyCount": 2}
    change(InferenceComponentName=one, DesiredRuntimeConfig={"CopyCount": 0})
    assert hosts.settled_component(one)["RuntimeConfig"]["CurrentCopyCount"] == 0

    specification = {**needs(1024), "ModelName": hosts.model("third")}
    hosts.sagemaker.update_inference_component(InferenceComponentName=two, Specification=specification)
    while hosts.ask("x", InferenceComponentName=two) != "third:x":
        pass
    updated = hosts.settled_component(two)
    assert updated["Specification"]["ModelName"] == specification["ModelName"]
    assert hosts.ask("x", InferenceComponentName=two) == "third:x"
    other = {"EndpointName": hosts.name, "EndpointConfigName": hosts.config(("other", specification["ModelName"], 1.0))}
    assert "hosts the inference component" in refused(hosts.sagemaker.update_endpoint, **other)
    assert "hosts the inference component" in refused(hosts.sagemaker.delete_endpoint, EndpointName=hosts.name)
