"""Search through boto3: what a filter's words mean, what is found of jobs, endpoints and models, what is refused."""

import itertools
import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.platform import Platform
from tests.programs import ROLE, ended, run_job, training_request, unique

REGION = "ap-south-1"
"""Of these tests alone, so that they know what there is to be found."""


def _channel(name: str, uri: str) -> dict[str, Any]:
    return {"ChannelName": name, "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}}}


JOBS: dict[str, dict[str, Any]] = {
    "ant": {
        "HyperParameters": {"max_depth": "3", "eta": "0.5", "objective": "a"},
        "InputDataConfig": [_channel("train", "s3://data/cats/"), _channel("test", "s3://data/dogs/")],
        "Tags": [{"Key": "team", "Value": "red"}, {"Key": "cost:centre", "Value": "1"}],
    },
    "bee": {
        "HyperParameters": {"max_depth": "10", "eta": "-0.5"},
        "InputDataConfig": [_channel("train", "s3://data/dogs/"), _channel("test", "s3://data/cats/")],
        "ResourceConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30},
        "Tags": [{"Key": "team", "Value": "blue"}],
    },
    "cat": {"HyperParameters": {"max_depth": "deep"}, "EnableNetworkIsolation": True},
}


@pytest.fixture(scope="module")
def sagemaker(platform: Platform) -> Any:
    """A client of a region with three failed jobs, made in the order of their names."""
    client = platform.client("sagemaker", region=REGION)
    for name, changes in JOBS.items():
        client.create_training_job(
            **{
                "TrainingJobName": name,
                "AlgorithmSpecification": {"TrainingImage": "no/such:image", "TrainingInputMode": "File"},
                "RoleArn": ROLE,
                "OutputDataConfig": {"S3OutputPath": "s3://nowhere/out/"},
                "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
                "StoppingCondition": {"MaxRuntimeInSeconds": 60},
                **changes,
            }
        )
        _until_failed(client, name)
    return client


def _until_failed(client: Any, name: str) -> None:
    deadline = time.monotonic() + 30
    while client.describe_training_job(TrainingJobName=name)["TrainingJobStatus"] != "Failed":
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _expression(*filters: tuple[str, ...]) -> dict[str, Any]:
    return {"Filters": [dict(zip(("Name", "Operator", "Value"), one, strict=False)) for one in filters]}


def _found(client: Any, **request: Any) -> list[str]:
    """Names, in the order of their creation where the request has none."""
    request = {"Resource": "TrainingJob", "SortBy": "CreationTime", "SortOrder": "Ascending", **request}
    return [result["TrainingJob"]["TrainingJobName"] for result in client.search(**request)["Results"]]


@pytest.mark.parametrize(
    ("one", "names"),
    [
        (("TrainingJobName", "Equals", "bee"), "bee"),
        (("TrainingJobName", "NotEquals", "bee"), "ant cat"),
        (("TrainingJobName", "In", "ant, cat,dog"), "ant cat"),
        (("TrainingJobName", "Contains", "a"), "ant cat"),
        (("TrainingJobName", "Contains", "A"), ""),
        (("trainingJobName", "Equals", "bee"), "bee"),
        (("HyperParameters.max_depth", "GreaterThan", "3"), "bee"),
        (("HyperParameters.max_depth", "GreaterThanOrEqualTo", "3.0"), "ant bee"),
        (("HyperParameters.max_depth", "LessThan", "1e1"), "ant"),
        (("HyperParameters.max_depth", "LessThanOrEqualTo", "10"), "ant bee"),
        (("HyperParameters.max_depth", "Equals", "10.0"), "bee"),
        (("HyperParameters.max_depth", "Equals", "deep"), "cat"),
        (("HyperParameters.max_depth", "NotEquals", "10"), "ant cat"),
        (("HyperParameters.max_depth", "Contains", "ee"), "cat"),
        (("HyperParameters.eta", "Equals", "0"), "ant bee"),  # an integer makes integers of decimals
        (("HyperParameters.eta", "GreaterThan", "0.4"), "ant"),
        (("HyperParameters.eta", "LessThan", "0"), ""),
        (("HyperParameters.objective", "Exists"), "ant"),
        (("HyperParameters.objective", "NotExists"), "bee cat"),
        (("HyperParameters.nowhere", "Exists"), ""),
        (("InputDataConfig", "NotExists"), "cat"),
        (("InputDataConfig.DataSource.S3DataSource.S3Uri", "Contains", "dogs"), "ant bee"),
        (("ResourceConfig.InstanceType", "Equals", "ml.m5.xlarge"), "bee"),
        (("ResourceConfig.VolumeSizeInGB", "LessThan", "1.5"), "ant cat"),
        (("AlgorithmSpecification.TrainingImage", "Equals", "no/such:image"), "ant bee cat"),
        (("EnableNetworkIsolation", "Equals", "True"), "cat"),
        (("TrainingJobStatus", "Equals", "Failed"), "ant bee cat"),
        (("FailureReason", "Exists"), "ant bee cat"),
        (("Tags.team", "Equals", "red"), "ant"),
        (("Tags.team", "NotEquals", "red"), "bee"),
        (("Tags.cost:centre", "In", "1,2"), "ant"),
        (("CreationTime", "GreaterThan", "2020-01-01T00:00:00"), "ant bee cat"),
        (("CreationTime", "LessThan", "2020-01-01T00:00:00+02:00"), ""),
        (("Metrics.accuracy", "GreaterThan", "0.1"), ""),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else value,
)
def test_a_filter_means_what_is_documented(sagemaker: Any, one: tuple[str, ...], names: str) -> None:
    assert _found(sagemaker, SearchExpression=_expression(one)) == names.split()


def test_a_filter_without_an_operator_is_equals(sagemaker: Any) -> None:
    assert _found(sagemaker, SearchExpression={"Filters": [{"Name": "Tags.team", "Value": "blue"}]}) == ["bee"]


def test_a_time_is_compared_to_the_second_that_is_given(sagemaker: Any) -> None:
    created = sagemaker.describe_training_job(TrainingJobName="ant")["CreationTime"]
    second = created.replace(microsecond=0).isoformat()
    assert "ant" in _found(sagemaker, SearchExpression=_expression(("CreationTime", "Equals", second)))
    assert "ant" not in _found(sagemaker, SearchExpression=_expression(("CreationTime", "GreaterThan", second)))


def test_nested_filters_hold_of_one_element(sagemaker: Any) -> None:
    filters = _expression(
        ("InputDataConfig.ChannelName", "Equals", "train"),
        ("InputDataConfig.DataSource.S3DataSource.S3Uri", "Contains", "cats"),
    )
    assert _found(sagemaker, SearchExpression=filters) == ["ant", "bee"]
    nested = {"NestedFilters": [{"NestedPropertyName": "InputDataConfig", **filters}]}
    assert _found(sagemaker, SearchExpression=nested) == ["ant"]


def test_expressions_within_expressions(sagemaker: Any) -> None:
    red_or_isolated = {
        **_expression(("Tags.team", "Equals", "red"), ("EnableNetworkIsolation", "Equals", "true")),
        "Operator": "Or",
    }
    assert _found(sagemaker, SearchExpression=red_or_isolated) == ["ant", "cat"]
    both = {**_expression(("HyperParameters.eta", "Exists")), "SubExpressions": [red_or_isolated]}
    assert _found(sagemaker, SearchExpression=both) == ["ant"]


def test_visibility_conditions_hide_what_is_tagged_otherwise(sagemaker: Any) -> None:
    assert _found(sagemaker, VisibilityConditions=[{"Key": "Tags.team", "Value": "red"}]) == ["ant", "cat"]


def test_no_other_account_or_region_is_searched(platform: Platform, sagemaker: Any) -> None:
    assert _found(platform.client("sagemaker", region="ap-south-2")) == []
    assert _found(sagemaker, CrossAccountFilterOption="CrossAccount") == []
    assert _found(sagemaker, CrossAccountFilterOption="SameAccount") == ["ant", "bee", "cat"]


@pytest.mark.parametrize(
    ("by", "ascending"),
    [
        ("TrainingJobName", "ant bee cat"),
        ("ResourceConfig.VolumeSizeInGB", "ant cat bee"),
        ("HyperParameters.max_depth", "ant bee cat"),  # numbers, then texts
        ("HyperParameters.eta", "bee ant cat"),  # what has none comes last
        ("Tags.team", "bee ant cat"),
    ],
)
def test_results_are_sorted_by_any_property(sagemaker: Any, by: str, ascending: str) -> None:
    assert _found(sagemaker, SortBy=by) == ascending.split()


def test_what_changed_last_comes_first_by_default(sagemaker: Any) -> None:
    results = sagemaker.search(Resource="TrainingJob")["Results"]
    assert [result["TrainingJob"]["TrainingJobName"] for result in results] == ["cat", "bee", "ant"]


def test_pages_and_hits(sagemaker: Any) -> None:
    pages = list(_pages(sagemaker, Resource="TrainingJob", SortBy="TrainingJobName", MaxResults=2))
    assert [[result["TrainingJob"]["TrainingJobName"] for result in page["Results"]] for page in pages] == [
        ["cat", "bee"],
        ["ant"],
    ]
    assert pages[0]["TotalHits"] == {"Value": 3, "Relation": "GreaterThanOrEqualTo"}
    assert pages[1]["TotalHits"] == {"Value": 3, "Relation": "EqualTo"}
    with pytest.raises(ClientError, match="NextToken is not valid"):
        sagemaker.search(Resource="TrainingJob", NextToken=pages[0]["NextToken"])


def _pages(client: Any, **request: Any) -> Iterator[dict[str, Any]]:
    for _ in itertools.count():
        page = client.search(**request)
        yield page
        if "NextToken" not in page:
            return
        request["NextToken"] = page["NextToken"]


def test_a_job_is_answered_as_it_is_described(platform: Platform) -> None:
    job = run_job(
        platform,
        'print("loss=0.25;")',
        AlgorithmSpecification={
            **training_request(platform, "")["AlgorithmSpecification"],
            "MetricDefinitions": [{"Name": "final:loss", "Regex": "loss=([0-9.]+);"}],
        },
        Tags=[{"Key": "one", "Value": "1"}],
    )
    name = job["TrainingJobName"]
    client = platform.client("sagemaker")
    filters = _expression(("TrainingJobName", "Equals", name), ("Metrics.final:loss", "LessThan", "0.3"))
    (result,) = client.search(Resource="TrainingJob", SearchExpression=filters)["Results"]
    found = result["TrainingJob"]
    assert found.pop("Tags") == [{"Key": "one", "Value": "1"}]
    described = {member: value for member, value in job.items() if member in found}
    assert found == described
    assert {"SecondaryStatusTransitions", "FinalMetricDataList", "BillableTimeInSeconds"} <= set(found)


def test_what_changes_is_found_as_it_is_now(platform: Platform) -> None:
    client = platform.client("sagemaker")
    request = training_request(platform, "", Tags=[{"Key": "colour", "Value": "green"}])
    name = request["TrainingJobName"]
    arn = client.create_training_job(**request)["TrainingJobArn"]

    def found(*one: str) -> bool:
        return _found(client, SearchExpression=_expression(("TrainingJobName", "Equals", name), one)) == [name]

    assert found("Tags.colour", "Equals", "green")
    client.add_tags(ResourceArn=arn, Tags=[{"Key": "colour", "Value": "grey"}])
    assert found("Tags.colour", "Equals", "grey")
    assert not found("Tags.colour", "Equals", "green")
    client.delete_tags(ResourceArn=arn, TagKeys=["colour"])
    assert found("Tags.colour", "NotExists")
    assert ended(platform, name)["TrainingJobStatus"] == "Completed"
    assert found("TrainingJobStatus", "Equals", "Completed")
    client.delete_training_job(TrainingJobName=name)
    assert not found("TrainingJobName", "Exists")


def test_models_and_endpoints_are_found(platform: Platform) -> None:
    client = platform.client("sagemaker")
    model, config, endpoint = unique("model"), unique("config"), unique("endpoint")
    client.create_model(
        ModelName=model, PrimaryContainer={"Image": "no/such:image"}, Tags=[{"Key": "model", "Value": model}]
    )
    for one in (("Model.ModelName", "Equals", model), ("Tags.model", "Equals", model)):
        (result,) = client.search(Resource="Model", SearchExpression=_expression(one))["Results"]
        assert result["Model"]["Model"]["ModelName"] == model
        assert result["Model"]["Model"]["Tags"] == [{"Key": "model", "Value": model}]
    variant = {"VariantName": "v", "ModelName": model, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    client.create_endpoint_config(EndpointConfigName=config, ProductionVariants=[variant])
    client.create_endpoint(EndpointName=endpoint, EndpointConfigName=config)
    of_config = _expression(("EndpointConfigName", "Equals", config))
    (result,) = client.search(Resource="Endpoint", SearchExpression=of_config)["Results"]
    assert result["Endpoint"]["EndpointName"] == endpoint
    client.delete_endpoint(EndpointName=endpoint)


def test_a_model_package_group_is_found(platform: Platform) -> None:
    """As the SDK looks for one before it registers a model."""
    client, name = platform.client("sagemaker"), unique("group")
    client.create_model_package_group(ModelPackageGroupName=name)
    filters = _expression(("ModelPackageGroupName", "Equals", name))
    (result,) = client.search(Resource="ModelPackageGroup", SearchExpression=filters)["Results"]
    assert result["ModelPackageGroup"]["ModelPackageGroupStatus"] == "Completed"


def test_names_are_suggested(sagemaker: Any) -> None:
    def suggested(hint: str) -> list[str]:
        query = {"PropertyNameQuery": {"PropertyNameHint": hint}}
        found = sagemaker.get_search_suggestions(Resource="TrainingJob", SuggestionQuery=query)
        return [suggestion["PropertyName"] for suggestion in found["PropertyNameSuggestions"]]

    assert suggested("HyperParameters.m") == ["HyperParameters.max_depth"]
    assert suggested("Ta") == ["Tags.cost:centre", "Tags.team"]
    assert suggested("ResourceConfig") == []
    everything = sagemaker.get_search_suggestions(Resource="TrainingJob")["PropertyNameSuggestions"]
    assert len(everything) == 5


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ({}, "must have at least one"),
        (_expression(("Nonsense", "Exists")), "Unknown property name: Nonsense"),
        (_expression(("ResourceConfig.Nonsense", "Exists")), "Unknown property name: ResourceConfig.Nonsense"),
        (_expression(("TrainingJobName.More", "Exists")), "Unknown property name"),
        (_expression(("SecondaryStatusTransitions.Status", "Exists")), "not built"),
        (_expression(("TrainingJobName", "GreaterThan", "a")), "operator GreaterThan is not supported for the text"),
        (_expression(("CreationTime", "Contains", "2")), "operator Contains is not supported for the timestamp"),
        (_expression(("ResourceConfig", "Equals", "2")), "operator Equals is not supported for the structure"),
        (_expression(("CreationTime", "Equals", "yesterday")), "yesterday .* is not an ISO 8601"),
        (_expression(("ResourceConfig.InstanceCount", "Equals", "two")), "two .* is not a number"),
        (_expression(("HyperParameters.eta", "LessThan", "two")), "two .* is not a number"),
        (_expression(("EnableNetworkIsolation", "Equals", "2")), "neither true nor false"),
        (_expression(("TrainingJobName", "Equals")), "needs a Value"),
        (
            _expression(("TrainingJobName", "Contains", "a"), ("TrainingJobName", "Contains", "b")),
            "'CONTAINS' operator usage limit of 1 exceeded",
        ),
        (
            {"SubExpressions": [_expression(*[("TrainingJobName", "Equals", "a")] * 18)] * 3},
            "at most 50 .* this one has 57",
        ),
        (
            {"NestedFilters": [{"NestedPropertyName": "ResourceConfig", **_expression(("RoleArn", "Exists"))}]},
            "not a list of structures",
        ),
        (
            {"NestedFilters": [{"NestedPropertyName": "InputDataConfig", **_expression(("RoleArn", "Exists"))}]},
            "does not lie in InputDataConfig",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_searched_for_is_said(sagemaker: Any, expression: dict[str, Any], words: str) -> None:
    with pytest.raises(ClientError, match=words) as refused:
        sagemaker.search(Resource="TrainingJob", SearchExpression=expression)
    assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_what_is_not_built_is_said(sagemaker: Any) -> None:
    with pytest.raises(ClientError, match="Search of Project is not built"):
        sagemaker.search(Resource="Project")
    with pytest.raises(ClientError, match="cannot be sorted by ResourceConfig"):
        sagemaker.search(Resource="TrainingJob", SortBy="ResourceConfig")
