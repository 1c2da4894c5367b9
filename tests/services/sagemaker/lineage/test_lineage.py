"""Artifacts, associations and what leads to what, through boto3."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.platform import Platform
from tests.programs import unique


@pytest.fixture
def sagemaker(platform: Platform) -> Any:
    return platform.client("sagemaker")


def artifact(sagemaker: Any, kind: str, **more: Any) -> str:
    source = {"SourceUri": f"s3://data/{unique(kind.lower())}"}
    arn: str = sagemaker.create_artifact(ArtifactName=kind, ArtifactType=kind, Source=source, **more)["ArtifactArn"]
    return arn


def chain(sagemaker: Any) -> dict[str, str]:
    """data ─▶ job ─▶ model ─▶ approval; report ─▶ model"""
    uri = f"s3://data/{unique('x')}"
    job = sagemaker.create_trial_component(TrialComponentName=unique("job"))["TrialComponentArn"]
    approval = sagemaker.create_action(ActionName=unique("approval"), ActionType="Approval", Source={"SourceUri": uri})
    arns = {
        "data": artifact(sagemaker, "DataSet", Properties={"rows": "10", "team": "red"}),
        "job": job,
        "model": artifact(sagemaker, "Model"),
        "report": artifact(sagemaker, "Report"),
        "approval": approval["ActionArn"],
    }
    for source, destination, kind in (
        ("data", "job", "ContributedTo"),
        ("job", "model", "Produced"),
        ("report", "model", "AssociatedWith"),
        ("model", "approval", "ContributedTo"),
    ):
        sagemaker.add_association(SourceArn=arns[source], DestinationArn=arns[destination], AssociationType=kind)
    return arns


def asked(sagemaker: Any, arns: dict[str, str], start: str, **request: Any) -> tuple[set[str], set[tuple[str, str]]]:
    """Names of the vertices and of the edges."""
    names = {arn: name for name, arn in arns.items()}
    answer = sagemaker.query_lineage(StartArns=[arns[start]], **request)
    edges = {(names[edge["SourceArn"]], names[edge["DestinationArn"]]) for edge in answer["Edges"]}
    return {names[vertex["Arn"]] for vertex in answer["Vertices"]}, edges


def refused(call: Any, code: str, **request: Any) -> str:
    with pytest.raises(ClientError) as raised:
        call(**request)
    assert raised.value.response["Error"]["Code"] == code
    return str(raised.value.response["Error"]["Message"])


def test_an_artifact_is_named_by_its_source(sagemaker: Any) -> None:
    source = {
        "SourceUri": f"s3://data/{unique('rows')}",
        "SourceTypes": [{"SourceIdType": "S3ETag", "Value": "abc"}],
    }
    request = {"ArtifactName": "rows", "ArtifactType": "DataSet", "Source": source, "Properties": {"a": "1", "b": "2"}}
    arn = sagemaker.create_artifact(**request)["ArtifactArn"]
    assert "already exists" in refused(sagemaker.create_artifact, "ValidationException", **request)
    sagemaker.update_artifact(ArtifactArn=arn, ArtifactName="more", Properties={"c": "3"}, PropertiesToRemove=["a"])
    told = sagemaker.describe_artifact(ArtifactArn=arn)
    assert (told["ArtifactName"], told["Source"], told["ArtifactType"]) == ("more", source, "DataSet")
    assert told["Properties"] == {"b": "2", "c": "3"}
    listed = sagemaker.list_artifacts(SourceUri=source["SourceUri"])["ArtifactSummaries"]
    assert [(each["ArtifactArn"], each["ArtifactName"]) for each in listed] == [(arn, "more")]
    assert sagemaker.list_artifacts(SourceUri=source["SourceUri"], ArtifactType="Model")["ArtifactSummaries"] == []
    refused(sagemaker.delete_artifact, "ValidationException")
    assert sagemaker.delete_artifact(Source=source)["ArtifactArn"] == arn
    refused(sagemaker.describe_artifact, "ResourceNotFound", ArtifactArn=arn)


def test_associations_are_listed_by_their_ends(sagemaker: Any) -> None:
    arns = chain(sagemaker)
    (only,) = sagemaker.list_associations(SourceArn=arns["data"])["AssociationSummaries"]
    assert (only["DestinationArn"], only["AssociationType"]) == (arns["job"], "ContributedTo")
    assert (only["SourceType"], only["SourceName"]) == ("DataSet", "DataSet")
    into = sagemaker.list_associations(DestinationArn=arns["model"], SortBy="SourceType", SortOrder="Descending")
    assert [each["SourceArn"] for each in into["AssociationSummaries"]] == [arns["report"], arns["job"]]
    narrowed = sagemaker.list_associations(DestinationArn=arns["model"], AssociationType="Produced")
    assert [each["SourceArn"] for each in narrowed["AssociationSummaries"]] == [arns["job"]]
    ends = {"SourceArn": arns["data"], "DestinationArn": arns["job"]}
    assert "already exists" in refused(sagemaker.add_association, "ValidationException", **ends)
    refused(sagemaker.delete_artifact, "ValidationException", ArtifactArn=arns["data"])
    assert sagemaker.delete_association(**ends)["SourceArn"] == arns["data"]
    refused(sagemaker.delete_association, "ResourceNotFound", **ends)
    sagemaker.delete_artifact(ArtifactArn=arns["data"])
    refused(sagemaker.add_association, "ResourceNotFound", **ends)


def test_a_query_walks_up_and_down(sagemaker: Any) -> None:
    arns = chain(sagemaker)
    up = {("data", "job"), ("job", "model"), ("report", "model")}
    assert asked(sagemaker, arns, "model", Direction="Ascendants", IncludeEdges=True) == ({"data", "job", "report"}, up)
    assert asked(sagemaker, arns, "data", Direction="Descendants") == ({"job", "model", "approval"}, set())
    assert asked(sagemaker, arns, "data", Direction="Descendants", MaxDepth=1) == ({"job"}, set())
    vertices, edges = asked(sagemaker, arns, "model", Direction="Both", IncludeEdges=True)
    assert (vertices, edges) == ({"data", "job", "report", "approval"}, up | {("model", "approval")})


def test_a_query_is_filtered_and_told_by_pages(sagemaker: Any) -> None:
    arns = chain(sagemaker)
    for filters, left in (
        ({"Types": ["DataSet", "Report"]}, {"data", "report"}),
        ({"LineageTypes": ["TrialComponent"]}, {"job"}),
        ({"Properties": {"rows": "10", "team": "blue"}}, {"data"}),
        ({"CreatedAfter": 4102444800}, set()),
    ):
        assert asked(sagemaker, arns, "model", Direction="Ascendants", Filters=filters) == (left, set())
    on_the_way = asked(
        sagemaker, arns, "model", Direction="Ascendants", Filters={"Types": ["DataSet"]}, IncludeEdges=True
    )
    assert on_the_way == ({"data", "job"}, {("data", "job"), ("job", "model")})
    first = sagemaker.query_lineage(StartArns=[arns["model"]], Direction="Ascendants", MaxResults=2)
    rest = sagemaker.query_lineage(
        StartArns=[arns["model"]], Direction="Ascendants", MaxResults=2, NextToken=first["NextToken"]
    )
    assert len(first["Vertices"]) == 2
    assert len(rest["Vertices"]) == 1
    assert "NextToken" not in rest
    refused(sagemaker.query_lineage, "ResourceNotFound", StartArns=[arns["model"] + "x"])
