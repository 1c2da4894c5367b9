"""Services that are not served: refused by name, in a protocol that boto3 reads."""

import gzip
from collections.abc import Callable
from typing import Any

import boto3
import orjson
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from clary.wire.identify import protocol_of
from clary.wire.models import OPERATING, SERVICES, SIGNING_NAMES, TARGET_PREFIXES, service_model
from clary.wire.unserved import _models, is_unserved, refusal
from tests.platform import Platform

from .requests import request

CALLS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "ec2": ("EC2", "describe_instances", {}),
    "dynamodb": ("DynamoDB", "list_tables", {}),
    "dynamodbstreams": ("DynamoDB Streams", "list_streams", {}),
    "lambda": ("Lambda", "list_functions", {}),
    "ecr-public": ("ECR PUBLIC", "describe_repositories", {}),
    "batch": ("Batch", "list_jobs", {"jobQueue": "q"}),
    "route53": ("Route 53", "list_hosted_zones", {}),
    "cloudfront": ("CloudFront", "list_distributions", {}),
    "cloudformation": ("CloudFormation", "list_stacks", {}),
    "stepfunctions": ("SFN", "list_state_machines", {}),
    "events": ("EventBridge", "list_rules", {}),
    "kms": ("KMS", "list_keys", {}),
    "secretsmanager": ("Secrets Manager", "list_secrets", {}),
    "ssm": ("SSM", "get_parameter", {"Name": "p"}),
    "emr": ("EMR", "list_clusters", {}),
    "efs": ("EFS", "describe_file_systems", {}),
    "rds": ("RDS", "describe_db_instances", {}),
    "ses": ("SES", "list_identities", {}),
    "glue": ("Glue", "get_databases", {}),
    "athena": ("Athena", "list_work_groups", {}),
    "redshift-data": ("Redshift Data", "list_statements", {}),
    "kinesis": ("Kinesis", "list_streams", {}),
    "mailmanager": ("MailManager", "list_relays", {}),
    "bedrock-runtime": ("Bedrock", "converse", {"modelId": "m", "messages": []}),
    "cognito-idp": ("Cognito Identity Provider", "forgot_password", {"ClientId": "c", "Username": "u"}),
}


@pytest.fixture(scope="module")
def session(platform: Platform) -> Callable[[str], Any]:
    access_key, secret_key = platform.keys()
    session = boto3.Session(aws_access_key_id=access_key, aws_secret_access_key=secret_key, region_name="us-east-1")

    def client(service: str) -> Any:
        config = Config(retries={"total_max_attempts": 1}, inject_host_prefix=False)
        return session.client(service, endpoint_url=platform.url, config=config)

    return client


@pytest.mark.parametrize("service", CALLS)
def test_boto3_reads_which_service_is_not_served(session: Any, service: str) -> None:
    name, method, parameters = CALLS[service]
    with pytest.raises(ClientError) as refused:
        getattr(session(service), method)(**parameters)
    error = refused.value.response["Error"]
    assert error["Code"] == "NotImplemented"
    assert error["Message"].startswith(f"Clary does not serve {name}; it serves SageMaker, ")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501


def test_the_constants_of_what_is_served_are_the_models() -> None:
    models = [service_model(service) for service in (*SERVICES, OPERATING)]
    assert {model.signing_name for model in models} == SIGNING_NAMES
    prefixes = {model.metadata["targetPrefix"]: model.service_name for model in models if _speaks_json(model.metadata)}
    assert prefixes == TARGET_PREFIXES


def test_every_published_service_is_refused_in_a_protocol_that_it_speaks() -> None:
    for path in _models():
        metadata = _metadata(path.read_bytes())
        signing_name = metadata.get("signingName", metadata["endpointPrefix"])
        if signing_name in SIGNING_NAMES:
            continue
        for protocol in metadata["protocols"] if "protocols" in metadata else [metadata["protocol"]]:
            asked = request("POST", "/", _headers(protocol, metadata))
            assert is_unserved(asked, signing_name), signing_name
            assert protocol_of(asked, signing_name) == protocol, path


def test_s3_control_is_not_taken_for_s3() -> None:
    asked = request("GET", "/v20180820/jobs", {"x-amz-account-id": "123456789012"})
    assert is_unserved(asked, "s3")
    assert protocol_of(asked, "s3") == "rest-xml"
    assert "does not serve S3 Control;" in refusal(asked, "s3").message


def test_a_service_that_nobody_has_heard_of_is_refused_by_its_signing_name() -> None:
    assert "does not serve newfangled;" in refusal(request("GET", "/things"), "newfangled").message


def _headers(protocol: str, metadata: dict[str, Any]) -> dict[str, str]:
    if protocol == "smithy-rpc-v2-cbor":
        return {"smithy-protocol": "rpc-v2-cbor"}
    if protocol == "json":
        return {"x-amz-target": f"{metadata['targetPrefix']}.Do"}
    return {"content-type": "application/x-www-form-urlencoded"} if protocol in ("query", "ec2") else {}


def _metadata(packed: bytes) -> dict[str, Any]:
    metadata: dict[str, Any] = orjson.loads(gzip.decompress(packed))["metadata"]
    return metadata


def _speaks_json(metadata: dict[str, Any]) -> bool:
    return "json" in metadata["protocols"]
