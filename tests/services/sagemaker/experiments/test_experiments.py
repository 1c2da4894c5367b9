"""Experiments, trials and trial components through boto3: what belongs to what, what may go, what is found."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.platform import Platform
from tests.programs import unique


@pytest.fixture
def sagemaker(platform: Platform) -> Any:
    return platform.client("sagemaker")


def made(sagemaker: Any, components: int = 1) -> tuple[str, str, list[str]]:
    """An experiment with a trial, and components in that."""
    experiment, trial = unique("experiment"), unique("trial")
    names = [unique("component") for _ in range(components)]
    sagemaker.create_experiment(ExperimentName=experiment)
    sagemaker.create_trial(TrialName=trial, ExperimentName=experiment)
    for name in names:
        sagemaker.create_trial_component(TrialComponentName=name)
        sagemaker.associate_trial_component(TrialComponentName=name, TrialName=trial)
    return experiment, trial, names


def refused(call: Any, code: str, **request: Any) -> str:
    with pytest.raises(ClientError) as raised:
        call(**request)
    assert raised.value.response["Error"]["Code"] == code
    return str(raised.value.response["Error"]["Message"])


def names_of(listed: dict[str, Any], base: str) -> list[str]:
    return [summary[f"{base}Name"] for summary in listed[f"{base}Summaries"]]


def search(sagemaker: Any, resource: str, member: str, *filters: tuple[str, str, str], **request: Any) -> list[Any]:
    expression = {"Filters": [dict(zip(("Name", "Operator", "Value"), one, strict=True)) for one in filters]}
    results = sagemaker.search(Resource=resource, SearchExpression=expression, **request)["Results"]
    return [result[member] for result in results]


def test_a_name_is_shown_where_no_other_was_given(sagemaker: Any) -> None:
    experiment, trial, (component,) = made(sagemaker)
    assert sagemaker.describe_experiment(ExperimentName=experiment)["DisplayName"] == experiment
    assert sagemaker.describe_trial(TrialName=trial)["DisplayName"] == trial
    assert sagemaker.describe_trial_component(TrialComponentName=component)["DisplayName"] == component
    sagemaker.update_experiment(ExperimentName=experiment, DisplayName="shown", Description="told")
    described = sagemaker.describe_experiment(ExperimentName=experiment)
    assert (described["DisplayName"], described["Description"]) == ("shown", "told")


def test_a_name_that_is_taken_is_told_as_clients_look_for_it(sagemaker: Any) -> None:
    experiment, trial, (component,) = made(sagemaker)
    for call, request in (
        (sagemaker.create_experiment, {"ExperimentName": experiment}),
        (sagemaker.create_trial, {"TrialName": trial, "ExperimentName": experiment}),
        (sagemaker.create_trial_component, {"TrialComponentName": component}),
    ):
        assert "already exists" in refused(call, "ValidationException", **request)


def test_trials_are_listed_by_their_experiment_and_by_a_component(sagemaker: Any) -> None:
    experiment, first, (component,) = made(sagemaker)
    _, other, _ = made(sagemaker)
    second = unique("trial")
    sagemaker.create_trial(TrialName=second, ExperimentName=experiment)
    sagemaker.associate_trial_component(TrialComponentName=component, TrialName=other)

    def listed(**request: str) -> list[str]:
        return names_of(sagemaker.list_trials(SortBy="CreationTime", SortOrder="Ascending", **request), "Trial")

    assert listed(ExperimentName=experiment) == [first, second]
    assert listed(TrialComponentName=component) == [first, other]
    assert listed(TrialComponentName=component, ExperimentName=experiment) == [first]
    refused(sagemaker.list_trials, "ResourceNotFound", ExperimentName="absent")
    refused(sagemaker.list_trials, "ResourceNotFound", TrialComponentName="absent")


def test_components_are_listed_page_by_page(sagemaker: Any) -> None:
    experiment, trial, names = made(sagemaker, components=3)
    for filtered in ({"ExperimentName": experiment}, {"TrialName": trial}):
        for key, ascending in (("CreationTime", names), ("Name", sorted(names))):
            for order, expected in (("Ascending", ascending), ("Descending", ascending[::-1])):
                pages = sagemaker.get_paginator("list_trial_components").paginate(
                    SortBy=key, SortOrder=order, PaginationConfig={"PageSize": 2}, **filtered
                )
                assert [names_of(page, "TrialComponent") for page in pages] == [expected[:2], expected[2:]]
    created = sagemaker.describe_trial_component(TrialComponentName=names[1])["CreationTime"]
    later = sagemaker.list_trial_components(TrialName=trial, CreatedAfter=created)
    assert set(names_of(later, "TrialComponent")) <= {names[2]}
    refused(sagemaker.list_trial_components, "ValidationException", TrialName=trial, ExperimentName=experiment)
    refused(sagemaker.list_trial_components, "ValidationException", TrialName=trial, NextToken="x")


def test_what_has_parts_is_not_deleted(sagemaker: Any) -> None:
    experiment, trial, (component,) = made(sagemaker)
    refused(sagemaker.delete_experiment, "ValidationException", ExperimentName=experiment)
    refused(sagemaker.delete_trial, "ValidationException", TrialName=trial)
    assert trial in refused(sagemaker.delete_trial_component, "ValidationException", TrialComponentName=component)
    answer = sagemaker.disassociate_trial_component(TrialComponentName=component, TrialName=trial)
    assert answer["TrialArn"].endswith(f":experiment-trial/{trial}")
    refused(sagemaker.disassociate_trial_component, "ResourceNotFound", TrialComponentName=component, TrialName=trial)
    deleted = sagemaker.delete_trial_component(TrialComponentName=component)
    assert deleted["TrialComponentArn"].endswith(f":experiment-trial-component/{component}")
    sagemaker.delete_trial(TrialName=trial)
    sagemaker.delete_experiment(ExperimentName=experiment)
    refused(sagemaker.describe_experiment, "ResourceNotFound", ExperimentName=experiment)


def test_an_update_of_a_component_adds_to_its_maps_and_takes_from_them(sagemaker: Any) -> None:
    name = unique("component")
    sagemaker.create_trial_component(
        TrialComponentName=name,
        Parameters={"depth": {"NumberValue": 3}, "kind": {"StringValue": "tree"}},
        InputArtifacts={"train": {"Value": "s3://data/train", "MediaType": "text/csv"}},
        Status={"PrimaryStatus": "InProgress"},
    )
    sagemaker.update_trial_component(
        TrialComponentName=name,
        Parameters={"depth": {"NumberValue": 5}, "eta": {"NumberValue": 0.1}},
        ParametersToRemove=["kind"],
        InputArtifactsToRemove=["train", "absent"],
        OutputArtifacts={"plot": {"Value": "s3://data/plot.png"}},
        Status={"PrimaryStatus": "Completed", "Message": "well"},
    )
    told = sagemaker.describe_trial_component(TrialComponentName=name)
    assert told["Parameters"] == {"depth": {"NumberValue": 5.0}, "eta": {"NumberValue": 0.1}}
    assert told["InputArtifacts"] == {}
    assert told["OutputArtifacts"] == {"plot": {"Value": "s3://data/plot.png"}}
    assert told["Status"] == {"PrimaryStatus": "Completed", "Message": "well"}
    assert sagemaker.describe_trial_component(TrialComponentName=told["TrialComponentArn"])["DisplayName"] == name
    refused(sagemaker.update_trial_component, "ValidationException", TrialComponentName=name, Parameters={"empty": {}})


def test_search_finds_each_kind(sagemaker: Any) -> None:
    experiment, trial, (component,) = made(sagemaker)
    sagemaker.update_trial_component(
        TrialComponentName=component, Parameters={"net.width": {"NumberValue": 64}, "kind": {"StringValue": "deep"}}
    )
    (found,) = search(sagemaker, "Experiment", "Experiment", ("ExperimentName", "Equals", experiment))
    assert found["ExperimentArn"].endswith(f":experiment/{experiment}")
    (found,) = search(sagemaker, "ExperimentTrial", "Trial", ("ExperimentName", "Equals", experiment))
    assert found["TrialName"] == trial
    assert [part["TrialComponentName"] for part in found["TrialComponentSummaries"]] == [component]
    for wanted in (
        ("Parents.ExperimentName", "Equals", experiment),
        ("Parents.TrialName", "Equals", trial),
    ):
        (found,) = search(sagemaker, "ExperimentTrialComponent", "TrialComponent", wanted)
        assert found["TrialComponentName"] == component
        assert found["Parents"] == [{"TrialName": trial, "ExperimentName": experiment}]
    own = ("TrialComponentName", "Equals", component)
    for name, operator, value in (
        ("Parameters.net.width.NumberValue", "GreaterThan", "63"),
        ("parameters.kind.StringValue", "Equals", "deep"),
    ):
        assert search(sagemaker, "ExperimentTrialComponent", "TrialComponent", own, (name, operator, value))
    for resource, member in (
        ("ExperimentTrial", "TrialComponentSummaries"),
        ("ExperimentTrialComponent", "SourceDetail"),
    ):
        refused(
            sagemaker.search,
            "ValidationException",
            Resource=resource,
            SearchExpression={"Filters": [{"Name": member, "Operator": "Exists"}]},
        )
