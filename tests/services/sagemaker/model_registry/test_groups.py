import json

import pytest
from botocore.exceptions import ClientError

from tests.platform import Platform
from tests.programs import unique

POLICY = json.dumps({"Version": "2012-10-17", "Statement": []})


@pytest.fixture
def group(platform: Platform) -> str:
    name = unique("group")
    platform.client("sagemaker").create_model_package_group(ModelPackageGroupName=name)
    return name


def test_a_group_is_found_by_its_arn_too(platform: Platform, group: str) -> None:
    sagemaker = platform.client("sagemaker")
    described = sagemaker.describe_model_package_group(ModelPackageGroupName=group)
    assert described["ModelPackageGroupStatus"] == "Completed"
    by_arn = sagemaker.describe_model_package_group(ModelPackageGroupName=described["ModelPackageGroupArn"])
    assert by_arn["CreationTime"] == described["CreationTime"]
    abroad = described["ModelPackageGroupArn"].replace("us-east-1", "eu-west-1")
    with pytest.raises(ClientError, match=f"ModelPackageGroup {abroad} does not exist"):
        sagemaker.describe_model_package_group(ModelPackageGroupName=abroad)


def test_a_policy_is_kept_with_the_group(platform: Platform, group: str) -> None:
    sagemaker, named = platform.client("sagemaker"), {"ModelPackageGroupName": group}
    with pytest.raises(ClientError, match="Cannot find resource policy for"):
        sagemaker.get_model_package_group_policy(**named)
    sagemaker.put_model_package_group_policy(**named, ResourcePolicy=POLICY)
    assert sagemaker.get_model_package_group_policy(**named)["ResourcePolicy"] == POLICY
    sagemaker.delete_model_package_group_policy(**named)
    with pytest.raises(ClientError, match="Cannot find resource policy for"):
        sagemaker.delete_model_package_group_policy(**named)


@pytest.mark.parametrize(("policy", "why"), [("{", "not valid JSON"), ("[]", "with a Statement")])
def test_what_is_no_policy_is_refused(platform: Platform, group: str, policy: str, why: str) -> None:
    with pytest.raises(ClientError, match=why):
        platform.client("sagemaker").put_model_package_group_policy(ModelPackageGroupName=group, ResourcePolicy=policy)
