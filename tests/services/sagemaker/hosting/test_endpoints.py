"""Endpoints through boto3: into service, answering, changing, failing and gone."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.platform import Platform
from tests.programs import ROLE, SKLEARN, put, tar_gz, unique, wait_until

INFERENCE = """

def model_fn(model_dir):
    return open(model_dir + "/word.txt").read()

def input_fn(body, content_type):
    return body.decode() if isinstance(body, bytes) else body

def predict_fn(data, model):
    if data == "raise":
        raise ValueError("this cannot be predicted")
    if data == "die":
        os._exit(7)
    return f"{model}:{data}"

def output_fn(prediction, accept):
    return prediction, "text/plain"
"""


class Endpoint:
    """A model, its configuration and an endpoint, made with boto3."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.sagemaker = platform.client("sagemaker")
        self.runtime = platform.client("sagemaker-runtime")
        self.name = unique("endpoint")

    def model(self, word: str, script: str = INFERENCE, **container: Any) -> str:
        name = unique("model")
        packed = tar_gz({"word.txt": word, "code/inference.py": script})
        self.sagemaker.create_model(
            ModelName=name,
            PrimaryContainer={
                "Image": SKLEARN,
                "ModelDataUrl": put(self.platform, f"{name}/model.tar.gz", packed),
                "Environment": {
                    "SAGEMAKER_PROGRAM": "inference.py",
                    "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
                },
                **container,
            },
            ExecutionRoleArn=ROLE,
        )
        return name

    def config(self, *variants: tuple[str, str, float], count: int = 1, **members: Any) -> str:
        """`variants`: (name, model, weight)."""
        name = unique("config")
        self.sagemaker.create_endpoint_config(
            EndpointConfigName=name,
            ProductionVariants=[
                {
                    "VariantName": variant,
                    "ModelName": model,
                    "InitialInstanceCount": count,
                    "InstanceType": "ml.m5.large",
                    "InitialVariantWeight": weight,
                }
                for variant, model, weight in variants
            ],
            **members,
        )
        return name

    def create(self, config: str) -> dict[str, Any]:
        self.sagemaker.create_endpoint(EndpointName=self.name, EndpointConfigName=config)
        return self.settled()

    def settled(self) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            seen: dict[str, Any] = self.sagemaker.describe_endpoint(EndpointName=self.name)
            return seen if seen["EndpointStatus"] in ("InService", "Failed") else None

        seen: dict[str, Any] = wait_until(look)
        return seen

    def ask(self, body: str, **options: Any) -> str:
        answer = self.runtime.invoke_endpoint(EndpointName=self.name, Body=body, ContentType="text/plain", **options)
        text: str = answer["Body"].read().decode()
        return text

    def delete(self) -> None:
        self.sagemaker.delete_endpoint(EndpointName=self.name)
        wait_until(self.gone)

    def gone(self) -> bool:
        try:
            self.sagemaker.describe_endpoint(EndpointName=self.name)
        except ClientError as error:
            return "Could not find endpoint" in str(error)
        return False


@pytest.fixture
def endpoint(platform: Platform) -> Iterator[Endpoint]:
    made = Endpoint(platform)
    yield made
    if not made.gone():
        made.delete()


@pytest.fixture(scope="module")
def served(platform: Platform) -> Iterator[Endpoint]:
    """One endpoint in service, for tests that only ask it."""
    made = Endpoint(platform)
    described = made.create(made.config(("AllTraffic", made.model("hello"), 1.0)))
    assert described["EndpointStatus"] == "InService", described.get("FailureReason")
    yield made
    made.delete()


def test_an_endpoint_answers_with_its_model(served: Endpoint) -> None:
    answer = served.runtime.invoke_endpoint(EndpointName=served.name, Body=b"you", ContentType="text/plain")
    assert answer["Body"].read() == b"hello:you"
    assert answer["ContentType"].startswith("text/plain")
    assert answer["InvokedProductionVariant"] == "AllTraffic"


def test_its_description_names_what_serves(served: Endpoint) -> None:
    described = served.sagemaker.describe_endpoint(EndpointName=served.name)
    (variant,) = described["ProductionVariants"]
    assert (variant["CurrentInstanceCount"], variant["DesiredInstanceCount"]) == (1, 1)
    assert variant["DeployedImages"][0]["SpecifiedImage"] == SKLEARN


def test_an_error_of_the_model_is_a_model_error(served: Endpoint) -> None:
    with pytest.raises(served.runtime.exceptions.ModelError) as raised:
        served.ask("raise")
    response = raised.value.response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert response["OriginalStatusCode"] == 500
    assert "this cannot be predicted" in response["OriginalMessage"]


def test_an_unknown_endpoint_or_variant_is_refused(served: Endpoint) -> None:
    with pytest.raises(ClientError, match="Endpoint nowhere of account 123456789012 not found") as raised:
        served.runtime.invoke_endpoint(EndpointName="nowhere", Body=b"")
    assert raised.value.response["Error"]["Code"] == "ValidationError"
    with pytest.raises(ClientError, match="Variant other"):
        served.ask("x", TargetVariant="other")


def test_a_body_over_six_megabytes_is_too_large(served: Endpoint) -> None:
    with pytest.raises(ClientError) as raised:
        served.runtime.invoke_endpoint(EndpointName=served.name, Body=b"x" * (6 * 1024 * 1024 + 1))
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413


def test_a_streamed_answer_comes_as_payload_parts(served: Endpoint) -> None:
    answer = served.runtime.invoke_endpoint_with_response_stream(
        EndpointName=served.name, Body=b"stream", ContentType="text/plain"
    )
    assert b"".join(event["PayloadPart"]["Bytes"] for event in answer["Body"]) == b"hello:stream"


def test_variants_share_traffic_by_weight_and_can_be_asked_for(endpoint: Endpoint) -> None:
    config = endpoint.config(("A", endpoint.model("a"), 1.0), ("B", endpoint.model("b"), 0.0))
    assert endpoint.create(config)["EndpointStatus"] == "InService"
    assert {endpoint.ask("x") for _ in range(20)} == {"a:x"}
    assert endpoint.ask("x", TargetVariant="B") == "b:x"
    endpoint.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=endpoint.name,
        DesiredWeightsAndCapacities=[
            {"VariantName": "A", "DesiredWeight": 0},
            {"VariantName": "B", "DesiredWeight": 1},
        ],
    )
    assert endpoint.settled()["EndpointStatus"] == "InService"
    assert {endpoint.ask("x") for _ in range(20)} == {"b:x"}


def test_an_update_serves_without_a_gap(endpoint: Endpoint) -> None:
    endpoint.create(endpoint.config(("AllTraffic", endpoint.model("old"), 1.0)))
    new = endpoint.config(("AllTraffic", endpoint.model("new"), 1.0))
    endpoint.sagemaker.update_endpoint(EndpointName=endpoint.name, EndpointConfigName=new)
    seen = set()

    def switched() -> bool:
        seen.add(endpoint.ask("x"))
        return "new:x" in seen

    wait_until(switched)
    assert seen <= {"old:x", "new:x"}
    assert endpoint.settled()["EndpointConfigName"] == new


def test_an_update_that_cannot_start_leaves_what_serves(endpoint: Endpoint) -> None:
    old = endpoint.config(("AllTraffic", endpoint.model("old"), 1.0))
    endpoint.create(old)
    broken = endpoint.model("new", script="raise RuntimeError('broken at import')")
    endpoint.sagemaker.update_endpoint(
        EndpointName=endpoint.name, EndpointConfigName=endpoint.config(("AllTraffic", broken, 1.0))
    )
    described = endpoint.settled()
    assert described["EndpointStatus"] == "InService"
    assert described["EndpointConfigName"] == old
    assert "ping health check" in described["FailureReason"]
    assert endpoint.ask("x") == "old:x"


def test_a_model_that_cannot_load_fails_the_endpoint(endpoint: Endpoint) -> None:
    broken = endpoint.model("x", script="def model_fn(model_dir):\n    raise RuntimeError('no such weights')\n")
    described = endpoint.create(endpoint.config(("AllTraffic", broken, 1.0)))
    assert described["EndpointStatus"] == "Failed"
    assert "did not pass the ping health check" in described["FailureReason"]
    events = endpoint.platform.client("logs").filter_log_events(
        logGroupName=f"/aws/sagemaker/Endpoints/{endpoint.name}"
    )
    assert any("no such weights" in event["message"] for event in events["events"])


def test_missing_model_data_fails_the_endpoint(endpoint: Endpoint) -> None:
    model = endpoint.model("x", ModelDataUrl="s3://nowhere/model.tar.gz")
    described = endpoint.create(endpoint.config(("AllTraffic", model, 1.0)))
    assert described["EndpointStatus"] == "Failed"
    assert "s3://nowhere/model.tar.gz" in described["FailureReason"]


def test_a_replica_that_dies_is_replaced(endpoint: Endpoint) -> None:
    endpoint.create(endpoint.config(("AllTraffic", endpoint.model("hello"), 1.0), count=2))
    with pytest.raises(ClientError):
        endpoint.ask("die")
    assert endpoint.ask("x") == "hello:x"

    def both_again() -> bool:
        described = endpoint.sagemaker.describe_endpoint(EndpointName=endpoint.name)
        return described["ProductionVariants"][0]["CurrentInstanceCount"] == 2 and servers(endpoint.platform) >= 2

    wait_until(both_again)
    assert described_status(endpoint) == "InService"


def described_status(endpoint: Endpoint) -> str:
    status: str = endpoint.sagemaker.describe_endpoint(EndpointName=endpoint.name)["EndpointStatus"]
    return status


def servers(platform: Platform) -> int:
    """Replicas that listen on a socket."""
    return len(list((platform.state / "instances").glob("*/run/server.sock")))


def test_a_deleted_endpoint_leaves_nothing_behind(endpoint: Endpoint) -> None:
    endpoint.create(endpoint.config(("AllTraffic", endpoint.model("hello"), 1.0)))
    arn = endpoint.sagemaker.describe_endpoint(EndpointName=endpoint.name)["EndpointArn"]
    endpoint.delete()
    with pytest.raises(ClientError, match="not found"):
        endpoint.ask("x")
    with pytest.raises(ClientError):
        endpoint.sagemaker.list_tags(ResourceArn=arn)
    endpoint.create(endpoint.config(("AllTraffic", endpoint.model("again"), 1.0)))
    assert endpoint.ask("x") == "again:x"


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        (
            {"CapacityReservationConfig": {"CapacityReservationPreference": "capacity-reservations-only"}},
            "CapacityReser",
        ),
        ({"ManagedInstanceScaling": {"Status": "ENABLED"}}, "ManagedInstanceScaling"),
    ],
)
def test_what_is_not_built_is_refused_by_name(platform: Platform, changes: dict[str, Any], named: str) -> None:
    endpoint = Endpoint(platform)
    variant = {"VariantName": "A", "ModelName": endpoint.model("x"), **changes}
    with pytest.raises(ClientError, match=named):
        endpoint.sagemaker.create_endpoint_config(EndpointConfigName=unique("c"), ProductionVariants=[variant])


def test_names_are_taken_once(platform: Platform) -> None:
    endpoint = Endpoint(platform)
    model = endpoint.model("x")
    with pytest.raises(ClientError, match="Cannot create already existing model"):
        endpoint.sagemaker.create_model(ModelName=model, PrimaryContainer={"Image": SKLEARN}, ExecutionRoleArn=ROLE)
    with pytest.raises(ClientError, match="Could not find model"):
        endpoint.config(("A", "no-such-model", 1.0))
    endpoint.sagemaker.delete_model(ModelName=model)
    with pytest.raises(ClientError, match="Could not find model"):
        endpoint.sagemaker.describe_model(ModelName=model)


def test_fields_of_a_vpc_are_kept(platform: Platform) -> None:
    vpc = {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}
    sagemaker, name = platform.client("sagemaker"), unique("model")
    sagemaker.create_model(ModelName=name, PrimaryContainer={"Image": SKLEARN}, ExecutionRoleArn=ROLE, VpcConfig=vpc)
    assert sagemaker.describe_model(ModelName=name)["VpcConfig"] == vpc
