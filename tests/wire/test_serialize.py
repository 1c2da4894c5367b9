"""What a handler may answer, and what it may not."""

from pathlib import Path
from typing import Any

import pytest

from clary.wire.errors import ServiceError
from clary.wire.http import FileBody, Response
from clary.wire.models import service_model
from clary.wire.serialize import serialize

from .requests import default_protocol


def answer(service: str, operation: str, result: dict[str, Any] | None) -> Response:
    return serialize(service_model(service).operation_model(operation), default_protocol(service), result, "request-1")


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("sagemaker", "DescribeModel"),
        ("sagemaker-runtime", "InvokeEndpoint"),
        ("s3", "ListObjectsV2"),
        ("sts", "AssumeRole"),
    ],
)
def test_a_member_that_the_model_does_not_know_is_a_mistake(service: str, operation: str) -> None:
    with pytest.raises(TypeError, match="Colour"):
        answer(service, operation, {"Colour": "red"})


def test_so_is_one_deeper_down() -> None:
    with pytest.raises(TypeError, match="Colour"):
        answer("sagemaker", "DescribeModel", {"PrimaryContainer": {"Colour": "red"}})


def test_none_is_left_out() -> None:
    response = answer("sagemaker", "DescribeModel", {"ModelName": "m", "CreationTime": None})
    assert response.body == b'{"ModelName":"m"}'


def test_an_operation_without_output_answers_nothing() -> None:
    response = answer("sagemaker", "DeleteModel", None)
    assert (response.status, response.body) == (200, b"")


def test_statuses_are_the_models_own() -> None:
    assert answer("s3", "DeleteObject", {}).status == 204
    assert answer("sagemaker-runtime", "InvokeEndpointAsync", {"InferenceId": "i"}).status == 202


def test_an_object_is_handed_on_as_the_file_that_it_is() -> None:
    part = FileBody(Path("/object"), 10, 5)
    response = answer("s3", "GetObject", {"Body": part, "ContentLength": 5, "ContentRange": "bytes 10-14/99"})
    assert (response.status, response.body) == (206, part)
    assert ("Content-Length", "5") in response.headers
    assert answer("s3", "GetObject", {"Body": part, "ContentLength": 5}).status == 200


def test_metadata_become_headers() -> None:
    response = answer("s3", "HeadObject", {"Metadata": {"colour": "red"}, "LastModified": 1700000000.5})
    assert ("x-amz-meta-colour", "red") in response.headers
    assert ("Last-Modified", "Tue, 14 Nov 2023 22:13:20 GMT") in response.headers


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: b", "a\0", "日本"])
def test_a_header_cannot_be_broken_out_of(value: str) -> None:
    with pytest.raises(ServiceError) as caught:
        answer("s3", "GetObject", {"ContentDisposition": value})
    assert (caught.value.code, caught.value.status) == ("InvalidArgument", 400)


def test_s3_names_its_root_elements_as_documented() -> None:
    body = answer("s3", "ListObjectsV2", {"Name": "b", "Contents": [{"Key": "a & <b>\r"}]}).body
    assert isinstance(body, bytes)
    assert body.decode().startswith('<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.')
    assert "<Contents><Key>a &amp; &lt;b&gt;&#xd;</Key></Contents>" in body.decode()


def test_numbers_that_json_has_not_travel_as_strings() -> None:
    body = answer(
        "cloudwatch", "GetMetricData", {"MetricDataResults": [{"Values": [float("nan"), float("-inf")]}]}
    ).body
    assert body == b'{"MetricDataResults":[{"Values":["NaN","-Infinity"]}]}'
