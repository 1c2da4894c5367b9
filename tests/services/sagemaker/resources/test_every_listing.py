"""Every List operation that is built, walked along the published model: a filter is honoured or refused by its name,
never passed over."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from botocore.model import Shape

from clary.services.sagemaker.resources.declaration import RESOURCES, Resource
from clary.services.sagemaker.resources.shapes import list_member
from clary.services.table import all_handlers
from clary.wire.models import service_model
from tests.platform import Platform
from tests.programs import wait_until
from tests.services.sagemaker.resources.walk import APART, SMALLEST

HANDLERS = all_handlers()
REGION = "ca-central-1"
NAMES = ["walk-a", "walk-b"]
PAST, FUTURE = datetime(2001, 1, 1, tzinfo=UTC), datetime(2101, 1, 1, tzinfo=UTC)
ORDER = {"SortBy", "SortOrder", "MaxResults", "NextToken"}

OTHERS = {"ListTags", "ListTrainingJobsForHyperParameterTuningJob"}
"""Listings of what belongs to one resource."""

Listed = Callable[..., list[dict[str, Any]]]

OF_ONE_KIND: dict[tuple[str, str], dict[Any, list[str]]] = {
    ("ModelPackageGroup", "CrossAccountFilterOption"): {"SameAccount": NAMES, "CrossAccount": []},
    ("Trial", "ExperimentName"): {"walk-a": NAMES, "walk-b": []},
    ("Trial", "TrialComponentName"): {"walk-a": []},
    ("TrialComponent", "ExperimentName"): {"walk-a": []},
    ("TrialComponent", "TrialName"): {"walk-a": []},
    ("TrialComponent", "SourceArn"): {"arn:aws:sagemaker:ca-central-1:123456789012:training-job/other": []},
    ("Action", "SourceUri"): {"s3://data/report": NAMES, "s3://data": []},
    ("Action", "ActionType"): {"Approval": NAMES, "Other": []},
    ("Context", "SourceUri"): {"s3://data/models": NAMES, "s3://data": []},
    ("Context", "ContextType"): {"Family": NAMES, "Other": []},
    ("TrainingJob", "WarmPoolStatusEquals"): {"Available": [], "InUse": []},
    ("ModelPackage", "ModelApprovalStatus"): {"Approved": [], "Rejected": [], "PendingManualApproval": []},
    ("ModelPackage", "ModelPackageGroupName"): {"walk-a": []},
    ("ModelPackage", "ModelPackageType"): {"Versioned": [], "Unversioned": NAMES, "Both": NAMES},
}
"""Filters that one listing has for itself: value → what is left."""


def filters_of(resource: Resource) -> dict[str, Shape]:
    shape = service_model("sagemaker").operation_model(resource.list_operation).input_shape
    return {name: member for name, member in shape.members.items() if name not in ORDER}


CASES = [(base, member) for base in SMALLEST for member in filters_of(RESOURCES[base])]


@pytest.fixture(scope="module")
def sagemaker(platform: Platform) -> Iterator[Any]:
    """A client in a region where there are two of each kind and nothing else."""
    client = platform.client("sagemaker", region=REGION)
    for base, request in SMALLEST.items():
        for name in NAMES:
            getattr(client, xform_name(f"Create{base}"))(**{f"{base}Name": name}, **request)
    for base in ("HyperParameterTuningJob", "TrainingJob", "ProcessingJob", "TransformJob", "Endpoint"):
        wait_until(lambda base=base: all(found[f"{base}Status"] == "Failed" for found in listing(client, base)()))
    for job in listing(client, "TrainingJob")():
        if job["TrainingJobName"] not in NAMES:  # A tuning job started it.
            client.delete_training_job(TrainingJobName=job["TrainingJobName"])
    for component in listing(client, "TrialComponent")():
        if component["TrialComponentName"] not in NAMES:  # A job made it.
            client.delete_trial_component(TrialComponentName=component["TrialComponentName"])
    yield client
    for base in reversed(SMALLEST):
        for name in NAMES:
            if f"Delete{base}" in service_model("sagemaker").operation_names:
                getattr(client, xform_name(f"Delete{base}"))(**{f"{base}Name": name})


def listing(client: Any, base: str) -> Listed:
    operation = RESOURCES[base].list_operation

    def summaries(**request: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = getattr(client, xform_name(operation))(**request)[list_member(operation)]
        return found

    return summaries


def test_every_listing_is_one_of_a_declared_resource() -> None:
    built = {name for service, name in HANDLERS if service == "sagemaker" and name.startswith("List")}
    assert built - OTHERS == {resource.list_operation for resource in RESOURCES.values()}
    assert set(SMALLEST) == set(RESOURCES) - APART


@pytest.mark.parametrize(("base", "member"), CASES)
def test_a_filter_is_honoured_or_refused(sagemaker: Any, base: str, member: str) -> None:
    summaries, shape = listing(sagemaker, base), filters_of(RESOURCES[base])[member]
    for value, left in expected(base, member, shape, summaries()):
        if left is None:
            with pytest.raises(ClientError, match=member):
                summaries(**{member: value})
        else:
            assert sorted(found[f"{base}Name"] for found in summaries(**{member: value})) == left


def expected(
    base: str, member: str, shape: Shape, everything: list[dict[str, Any]]
) -> Iterator[tuple[Any, list[str] | None]]:
    """Values of a filter and the names that are left by each; None where the filter is to be refused."""
    if (base, member) in OF_ONE_KIND:
        yield from OF_ONE_KIND[base, member].items()
    elif member.endswith("After"):
        yield from ((PAST, NAMES), (FUTURE, []))
    elif member.endswith("Before"):
        yield from ((PAST, []), (FUTURE, NAMES))
    elif member == "NameContains":
        yield from (("walk", NAMES), ("k-a", ["walk-a"]), ("absent", []))
    elif member == "StatusEquals":
        for status in shape.enum:
            yield status, sorted(found[f"{base}Name"] for found in everything if found[f"{base}Status"] == status)
    else:
        yield example(shape), None


def example(shape: Shape) -> Any:
    return shape.enum[0] if shape.enum else "arn:aws:sagemaker:ca-central-1:123456789012:training-plan/plan"


@pytest.mark.parametrize("base", SMALLEST)
def test_every_order_is_honoured(sagemaker: Any, base: str) -> None:
    summaries = listing(sagemaker, base)
    shape = service_model("sagemaker").operation_model(RESOURCES[base].list_operation).input_shape
    for key in shape.members["SortBy"].enum:
        assert [found[f"{base}Name"] for found in summaries(SortBy=key, SortOrder="Ascending")] == NAMES
        assert [found[f"{base}Name"] for found in summaries(SortBy=key, SortOrder="Descending")] == NAMES[::-1]


@pytest.mark.parametrize("base", SMALLEST)
def test_pages_follow_each_other(sagemaker: Any, base: str) -> None:
    operation = RESOURCES[base].list_operation
    paginator = sagemaker.get_paginator(xform_name(operation))
    pages = list(paginator.paginate(SortBy="Name", SortOrder="Ascending", PaginationConfig={"PageSize": 1}))
    assert [[found[f"{base}Name"] for found in page[list_member(operation)]] for page in pages] == [
        [name] for name in NAMES
    ]
