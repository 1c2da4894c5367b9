"""What holds for every kind of resource, walked along the declarations."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from clary.services.sagemaker.resources.declaration import RESOURCES
from clary.services.table import all_handlers
from clary.wire.models import service_model
from tests.platform import Platform
from tests.services.sagemaker.resources.walk import SMALLEST

HANDLERS = all_handlers()
REGION = "ca-west-1"
NAME = "walk-a"
AT_ONCE = [base for base in SMALLEST if not RESOURCES[base].kind.live]
"""Those that exist as soon as they are made."""


@pytest.fixture(scope="module")
def sagemaker(platform: Platform) -> Iterator[Any]:
    client = platform.client("sagemaker", region=REGION)
    for base in AT_ONCE:
        getattr(client, xform_name(f"Create{base}"))(**{f"{base}Name": NAME}, **SMALLEST[base])
    yield client
    for base in reversed(AT_ONCE):
        getattr(client, xform_name(f"Delete{base}"))(**{f"{base}Name": NAME})


def takes_a_name(operation: str, base: str) -> bool:
    """The others take an ARN."""
    return f"{base}Name" in service_model("sagemaker").operation_model(operation).input_shape.members


def call(client: Any, verb: str, base: str, name: str = NAME, **request: Any) -> Any:
    return getattr(client, xform_name(f"{verb}{base}"))(**{f"{base}Name": name}, **request)


@pytest.mark.parametrize("base", AT_ONCE)
def test_what_was_asked_for_is_described(sagemaker: Any, base: str) -> None:
    described = call(sagemaker, "Describe", base)
    assert described[f"{base}Name"] == NAME
    assert described[f"{base}Arn"] == f"arn:aws:sagemaker:{REGION}:123456789012:{RESOURCES[base].kind.name}/{NAME}"
    for member, value in SMALLEST[base].items():
        if member != "ProductionVariants":  # which get a weight
            assert described[member] == value
    required = service_model("sagemaker").operation_model(f"Describe{base}").output_shape.required_members
    assert set(required) <= set(described)


@pytest.mark.parametrize("base", AT_ONCE)
def test_a_name_is_taken_once(sagemaker: Any, base: str) -> None:
    with pytest.raises(ClientError, match=NAME) as raised:
        call(sagemaker, "Create", base, **SMALLEST[base])
    assert raised.value.response["Error"]["Code"] in ("ValidationException", "ResourceInUse")


@pytest.mark.parametrize(
    ("verb", "base"),
    [
        (verb, base)
        for base in SMALLEST
        for verb in ("Describe", "Update", "Stop", "Delete")
        if ("sagemaker", f"{verb}{base}") in HANDLERS and takes_a_name(f"{verb}{base}", base)
    ],
)
def test_one_that_is_not_there_is_not_found(sagemaker: Any, verb: str, base: str) -> None:
    required = {"EndpointConfigName": NAME} if (verb, base) == ("Update", "Endpoint") else {}
    with pytest.raises(ClientError) as raised:
        call(sagemaker, verb, base, name="absent", **required)
    error = raised.value.response["Error"]
    assert error["Code"] in ("ValidationException", "ResourceNotFound")
    assert "absent" in error["Message"] or error["Message"] == "Requested resource not found."


@pytest.mark.parametrize("base", AT_ONCE)
def test_each_has_tags(sagemaker: Any, base: str) -> None:
    arn = call(sagemaker, "Describe", base)[f"{base}Arn"]
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "team", "Value": "blue"}])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "blue"}]


@pytest.mark.parametrize("base", AT_ONCE)
def test_a_name_is_free_again_once_it_is_deleted(sagemaker: Any, base: str) -> None:
    call(sagemaker, "Create", base, name="passing", **SMALLEST[base])
    call(sagemaker, "Delete", base, name="passing")
    call(sagemaker, "Create", base, name="passing", **SMALLEST[base])
    call(sagemaker, "Delete", base, name="passing")
