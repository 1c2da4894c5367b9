"""ARNs follow the partition of the region that a call is made in, whichever service answers."""

import ast
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from clary.arns import Arn, global_arn, partition_of, read_arn, regional_arn
from tests.platform import Platform
from tests.programs import training_request, wait_until

SOURCE = Path(__file__).parents[1] / "src" / "clary"


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("us-east-1", "aws"),
        ("eu-central-2", "aws"),
        ("cn-north-1", "aws-cn"),
        ("cn-northwest-1", "aws-cn"),
        ("us-gov-west-1", "aws-us-gov"),
        ("us-iso-east-1", "aws-iso"),
        ("aws-cn-global", "aws-cn"),
        ("my-own-rack", "aws"),
    ],
)
def test_a_region_has_its_partition(region: str, partition: str) -> None:
    assert partition_of(region) == partition


def test_an_arn_is_read_as_it_was_made() -> None:
    made = regional_arn("logs", "cn-north-1", "123456789012", "log-group:/a/b:*")
    assert made == "arn:aws-cn:logs:cn-north-1:123456789012:log-group:/a/b:*"
    assert read_arn(made) == Arn("aws-cn", "logs", "cn-north-1", "123456789012", "log-group:/a/b:*")
    assert global_arn("s3", "us-gov-west-1", "", "bucket") == "arn:aws-us-gov:s3:::bucket"
    assert read_arn("arn:aws:s3") is None
    assert read_arn("urn:a:b:c:d:e") is None


@pytest.mark.parametrize(("region", "partition"), [("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")])
def test_every_service_speaks_of_the_partition(platform: Platform, region: str, partition: str) -> None:
    sts, iam = platform.client("sts", region), platform.client("iam", region)
    session = f"arn:{partition}:sts::123456789012:assumed-role/AmazonSageMaker-ExecutionRole/clary"
    assert sts.get_caller_identity()["Arn"] == session
    role = iam.get_role(RoleName=f"Of-{region}")["Role"]
    assert role["Arn"] == f"arn:{partition}:iam::123456789012:role/Of-{region}"
    attached = iam.list_attached_role_policies(RoleName=f"Of-{region}")["AttachedPolicies"]
    assert attached[0]["PolicyArn"] == f"arn:{partition}:iam::aws:policy/AmazonSageMakerFullAccess"
    assumed = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="me")
    assert assumed["AssumedRoleUser"]["Arn"] == f"arn:{partition}:sts::123456789012:assumed-role/Of-{region}/me"
    logs = platform.client("logs", region)
    logs.create_log_group(logGroupName="partitioned")
    arn = logs.describe_log_groups(logGroupNamePrefix="partitioned")["logGroups"][0]["logGroupArn"]
    assert arn == f"arn:{partition}:logs:{region}:123456789012:log-group:partitioned"
    created = platform.client("s3", region).create_bucket(
        Bucket=f"partitioned-{region}", CreateBucketConfiguration={"LocationConstraint": region}
    )
    assert created["BucketArn"] == f"arn:{partition}:s3:::partitioned-{region}"


def test_a_role_of_another_partition_is_another_accounts(platform: Platform) -> None:
    with pytest.raises(ClientError, match="is not authorized to perform: sts:AssumeRole"):
        platform.client("sts", "cn-north-1").assume_role(
            RoleArn="arn:aws:iam::123456789012:role/Trainer", RoleSessionName="me"
        )


def test_a_job_runs_as_a_role_of_the_partition(platform: Platform) -> None:
    """Its instance finds credentials of a session in that partition."""
    script = """
import boto3
print("I am", boto3.client("sts").get_caller_identity()["Arn"], flush=True)
"""
    request: dict[str, Any] = training_request(platform, script)
    request["RoleArn"] = "arn:aws-cn:iam::123456789012:role/Trainer"
    sagemaker, logs = platform.client("sagemaker", "cn-north-1"), platform.client("logs", "cn-north-1")
    name = request["TrainingJobName"]
    created = sagemaker.create_training_job(**request)
    assert created["TrainingJobArn"] == f"arn:aws-cn:sagemaker:cn-north-1:123456789012:training-job/{name}"
    wait_until(lambda: sagemaker.describe_training_job(TrainingJobName=name)["TrainingJobStatus"] != "InProgress")
    events = logs.filter_log_events(
        logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=f"{name}/", filterPattern='"I am"'
    )["events"]
    assert events[0]["message"].startswith("I am arn:aws-cn:sts::123456789012:assumed-role/Trainer/")


def test_arns_are_made_in_one_place() -> None:
    for module in SOURCE.rglob("*.py"):
        tree = ast.parse(module.read_text())
        documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        made = [
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant)
            and id(node) not in documentation
            and str(node.value).startswith("arn:aws")
        ]
        assert not made, f"{module.relative_to(SOURCE)}: {made}"
