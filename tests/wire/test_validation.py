"""Violations of the model, in AWS's words."""

import time
from typing import Any

import pytest

from clary.wire.errors import ServiceError
from clary.wire.identify import identify
from clary.wire.models import SERVICES, service_model
from clary.wire.patterns import TIME_LIMIT, matches
from clary.wire.validate import validate

from .requests import request

JOB: dict[str, Any] = {
    "TrainingJobName": "abalone",
    "RoleArn": "arn:aws:iam::123456789012:role/x",
    "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
    "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"},
    "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30},
    "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
}


def refusal(service: str, operation: str, params: dict[str, Any]) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        validate(service_model(service).operation_model(operation), params)
    assert caught.value.status == 400
    return caught.value


def violation(**changes: Any) -> str:
    """The one thing wrong with a training job that is changed so."""
    message = refusal("sagemaker", "CreateTrainingJob", JOB | changes).message
    head = "1 validation error detected: "
    assert message.startswith(head)
    return message.removeprefix(head)


def test_a_good_request_passes() -> None:
    validate(service_model("sagemaker").operation_model("CreateTrainingJob"), JOB)


def test_all_violations_are_told_together() -> None:
    error = refusal("sagemaker", "CreateTrainingJob", JOB | {"TrainingJobName": "a_b", "RoleArn": None})
    assert error.code == "ValidationException"
    assert error.message == (
        "2 validation errors detected: "
        "Value null at 'roleArn' failed to satisfy constraint: Member must not be null; "
        "Value 'a_b' at 'trainingJobName' failed to satisfy constraint: Member must satisfy regular expression "
        "pattern: [a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"
    )


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"StoppingCondition": {"MaxRuntimeInSeconds": 0}},
            "Value '0' at 'stoppingCondition.maxRuntimeInSeconds' failed to satisfy constraint: "
            "Member must have value greater than or equal to 1",
        ),
        (
            {"Tags": [{"Key": "a", "Value": "b"}, {"Key": "", "Value": "b"}]},
            "Value '' at 'tags.2.member.key' failed to satisfy constraint: "
            "Member must have length greater than or equal to 1",
        ),
        (
            {"InputDataConfig": []},
            "Value '[]' at 'inputDataConfig' failed to satisfy constraint: "
            "Member must have length greater than or equal to 1",
        ),
        (
            {"HyperParameters": {"a": "x" * 2501}},
            f"Value '{{a={'x' * 2501}}}' at 'hyperParameters' failed to satisfy constraint: Map value must satisfy "
            "constraint: [Member must have length less than or equal to 2500, Member must have length greater than "
            "or equal to 0, Member must satisfy regular expression pattern: .*]",
        ),
        (
            {"VpcConfig": {"Subnets": ["subnet-1"], "SecurityGroupIds": ["$"]}},
            "Value '[$]' at 'vpcConfig.securityGroupIds' failed to satisfy constraint: Member must satisfy "
            "constraint: [Member must have length less than or equal to 32, Member must have length greater than "
            "or equal to 0, Member must satisfy regular expression pattern: [-0-9a-zA-Z]+]",
        ),
    ],
)
def test_each_kind_of_violation_has_its_words(changes: dict[str, Any], told: str) -> None:
    assert violation(**changes) == told


def test_an_enumeration_lists_its_values() -> None:
    told = violation(AlgorithmSpecification={"TrainingImage": "i", "TrainingInputMode": "Tape"})
    assert told == (
        "Value 'Tape' at 'algorithmSpecification.trainingInputMode' failed to satisfy constraint: "
        "Member must satisfy enum value set: [Pipe, File, FastFile]"
    )


def test_instance_types_are_those_of_the_model() -> None:
    told = violation(ResourceConfig={"InstanceType": "ml.m99.large", "InstanceCount": 1, "VolumeSizeInGB": 1})
    assert told.startswith("Value 'ml.m99.large' at 'resourceConfig.instanceType' failed to satisfy constraint: ")


def test_a_sensitive_value_is_not_repeated() -> None:
    error = refusal(
        "sagemaker-runtime",
        "InvokeEndpoint",
        {"EndpointName": "e", "Body": b"", "CustomAttributes": "secret-é"},
    )
    assert error.code == "ValidationError"
    assert "Value at 'customAttributes' failed to satisfy constraint" in error.message
    assert "secret" not in error.message


@pytest.mark.parametrize(
    ("service", "operation", "code"),
    [
        ("sagemaker", "CreateModel", "ValidationException"),
        ("sagemaker-runtime", "InvokeEndpoint", "ValidationError"),
        ("logs", "PutLogEvents", "InvalidParameterException"),
        ("iam", "CreateRole", "ValidationError"),
        ("sts", "AssumeRole", "ValidationError"),
        ("cloudwatch", "PutMetricData", "ValidationError"),
    ],
)
def test_each_service_has_its_code(service: str, operation: str, code: str) -> None:
    error = refusal(service, operation, {})
    assert error.code == code
    assert "Member must not be null" in error.message


def test_a_null_inside_a_list_is_told() -> None:
    assert violation(Tags=[None]) == (
        "Value null at 'tags.1.member' failed to satisfy constraint: Member must not be null"
    )


@pytest.mark.parametrize("problem", [{}, {"TextGenerationJobConfig": {}, "ImageClassificationJobConfig": {}}])
def test_a_union_has_one_member(problem: dict[str, Any]) -> None:
    error = refusal("sagemaker", "CreateAutoMLJobV2", {"AutoMLProblemTypeConfig": problem})
    told = "at 'autoMLProblemTypeConfig' failed to satisfy constraint: Member must have exactly one of its members set"
    assert told in error.message


def test_s3_names_a_header_that_is_missing() -> None:
    found = identify(request("GET", "/bucket/key?attributes"), "s3", b"")
    error = refusal("s3", found.operation.name, {"Bucket": "bucket", "Key": "key"})
    assert error.message == "Missing required header for this request: x-amz-object-attributes"


def test_s3_speaks_of_malformed_xml_and_missing_bodies() -> None:
    assert refusal("s3", "DeleteObjects", {"Bucket": "b"}).code == "MissingRequestBodyError"
    params = {"Bucket": "b", "Delete": {"Objects": [{}]}}
    assert refusal("s3", "DeleteObjects", params).code == "MalformedXML"


def test_s3_leaves_enumerations_to_its_handlers() -> None:
    operation = service_model("s3").operation_model("CreateBucket")
    location = {"LocationConstraint": "xx-new-1"}
    validate(operation, {"Bucket": "b", "CreateBucketConfiguration": location})


PATTERNS = sorted(
    {
        shape.metadata["pattern"]
        for service in SERVICES
        for shape in map(service_model(service).shape_for, service_model(service).shape_names)
        if "pattern" in shape.metadata
    }
)


@pytest.mark.parametrize(
    "hostile", ["a" * 5000 + "\0", "a-" * 2500 + "_", "arn:aws:" * 600 + "\0", " \n" * 2000 + "\0"]
)
def test_every_pattern_compiles_and_gives_up_in_time(hostile: str) -> None:
    for pattern in PATTERNS:
        matches(pattern, "")  # compiles it, which is no part of what is limited
        began = time.process_time()
        matches(pattern, hostile)
        assert time.process_time() - began < 5 * TIME_LIMIT, pattern


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        (r"^[a-zA-Z0-9](-*[a-zA-Z0-9])*", "a-b", "a_b"),
        (r"[\w+=,.@-]+", "user@x", "é"),
        (r"\d{12}", "123456789012", "١٢٣٤٥٦٧٨٩٠١٢"),
        (r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*", "größe 1", "a;b"),
        (r"\p{ASCII}*", "a;b", "é"),
        (r"\A\S[\p{Print}]*\z", "id 1", " id"),
        (r"[\w-_]*", "a-b_c", "a.b"),
        (r"([\p{L}_]*)${1,128}", "ab", "a b"),
        (r"[ -\uD7FF\uD800\uDC00-\uDBFF\uDFFF\t]*", "🎉", "\n"),
        (r".*", "one line", "two\nlines"),
    ],
)
def test_patterns_mean_what_they_mean_in_java(pattern: str, good: str, bad: str) -> None:
    assert matches(pattern, good)
    assert not matches(pattern, bad)
