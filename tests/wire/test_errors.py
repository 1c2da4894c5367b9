"""Errors, read back by botocore's parser: every modelled error of every service, and those that no model knows."""

from typing import Any

import pytest
from botocore.awsrequest import HeadersDict
from botocore.model import StructureShape
from botocore.parsers import create_parser

from clary.wire.errors import ServiceError
from clary.wire.http import Response
from clary.wire.identify import identify
from clary.wire.models import SERVICES, Protocol, error_shape, service_model
from clary.wire.serialize import serialize_error

from .requests import default_protocol, request
from .shapes import as_house

SAMPLES: dict[str, Any] = {
    "string": "some text",
    "integer": 7,
    "long": 1 << 40,
    "boolean": True,
    "timestamp": 1700000000.0,
    "double": 0.5,
}

ERRORS = [
    (service, protocol, shape.name)
    for service in SERVICES
    for protocol in ([default_protocol(service)] if service != "cloudwatch" else ["json", "query"])
    for shape in service_model(service).error_shapes
]


def sample(shape: StructureShape) -> dict[str, Any]:
    """A value for every member that is not a message; of the shape's kind."""
    fields: dict[str, Any] = {}
    for name, member in shape.members.items():
        if name.lower() == "message":
            continue
        if member.type_name == "list":
            element = member.member
            fields[name] = [sample(element) if element.type_name == "structure" else SAMPLES[element.type_name]]
        elif member.type_name == "structure":
            fields[name] = sample(member)
        else:
            fields[name] = SAMPLES[member.type_name]
    return fields


def read(protocol: str, response: Response, shape: StructureShape | None = None) -> dict[str, Any]:
    answer = {
        "headers": HeadersDict(response.headers),
        "status_code": response.status,
        "body": response.body,
        "context": {},
    }
    parsed: dict[str, Any] = create_parser(protocol).parse(answer, shape)
    return parsed


@pytest.mark.parametrize(("service", "protocol", "name"), ERRORS)
def test_clients_read_every_modelled_error(service: str, protocol: Protocol, name: str) -> None:
    shape = error_shape(service, name)
    assert shape is not None
    fields = {} if protocol == "rest-xml" else sample(shape)
    error = ServiceError(name, "what was wrong", **fields)
    response = serialize_error(protocol, service, error, request("POST", "/"), "request-1")

    assert response.status == shape.metadata.get("error", {}).get("httpStatusCode", response.status)
    generic = read(protocol, response)
    assert generic["Error"]["Code"] == shape.error_code
    assert generic["Error"]["Message"] == "what was wrong"
    assert generic["ResponseMetadata"]["RequestId"] == "request-1"
    modelled = as_house(read(protocol, response, shape))
    assert {key: value for key, value in modelled.items() if key.lower() != "message"} == fields


@pytest.mark.parametrize(
    ("service", "protocol"),
    [("sagemaker", "json"), ("sagemaker-runtime", "rest-json"), ("sts", "query"), ("s3", "rest-xml"), (None, "query")],
)
def test_an_error_that_no_model_knows_is_read_too(service: str | None, protocol: Protocol) -> None:
    error = ServiceError("IncompleteSignature", "a <b> & 'c'\r\n", 403)
    response = serialize_error(protocol, service, error, request("GET", "/b/k"), "request-1")
    assert response.status == 403
    parsed = read(protocol, response)["Error"]
    assert (parsed["Code"], parsed["Message"]) == ("IncompleteSignature", "a <b> & 'c'\r\n")


def test_a_model_error_carries_what_the_container_said() -> None:
    error = ServiceError("ModelError", "Received 500", OriginalStatusCode=500, OriginalMessage="boom", LogStreamArn="a")
    response = serialize_error("rest-json", "sagemaker-runtime", error, request("POST", "/"), "request-1")
    assert response.status == 424
    assert ("x-amzn-errortype", "ModelError") in response.headers
    shape = error_shape("sagemaker-runtime", "ModelError")
    assert read("rest-json", response, shape) == {
        "Message": "Received 500",
        "OriginalStatusCode": 500,
        "OriginalMessage": "boom",
        "LogStreamArn": "a",
    }


def test_clients_that_knew_cloudwatch_by_query_still_get_its_codes() -> None:
    error = ServiceError("ResourceNotFound", "no such dashboard")
    response = serialize_error("json", "cloudwatch", error, request("POST", "/"), "request-1")
    assert dict(response.headers)["x-amzn-query-error"] == "ResourceNotFound;Sender"
    assert read("json", response)["Error"]["Code"] == "ResourceNotFound"


def test_s3_names_the_resource_and_further_facts() -> None:
    error = ServiceError("NoSuchKey", "The specified key does not exist.", Key="a&b")
    response = serialize_error("rest-xml", "s3", error, request("GET", "/b/a%26b?x=1"), "request-1")
    parsed = read("rest-xml", response)["Error"]
    assert (parsed["Key"], parsed["Resource"], response.status) == ("a&b", "/b/a%26b", 404)


def test_s3_names_the_methods_that_are_allowed_where_one_is_not() -> None:
    asked = request("PATCH", "/")
    with pytest.raises(ServiceError) as caught:
        identify(asked, "s3", b"")
    response = serialize_error("rest-xml", "s3", caught.value, asked, "request-1")
    assert (response.status, dict(response.headers)["allow"]) == (405, "GET")
    assert read("rest-xml", response)["Error"]["Method"] == "PATCH"


def test_s3_tells_of_an_object_although_the_call_is_refused() -> None:
    operation = service_model("s3").operation_model("GetObject")
    error = ServiceError("NotModified", "Not Modified", 304)
    error.answer = {"ETag": '"e"', "LastModified": 0, "Body": b"not a header"}
    response = serialize_error("rest-xml", "s3", error, request("GET", "/b/k"), "request-1", operation)
    assert dict(response.headers) == {
        "x-amz-request-id": "request-1",
        "x-amz-id-2": "request-1",
        "ETag": '"e"',
        "Last-Modified": "Thu, 01 Jan 1970 00:00:00 GMT",
    }
    assert response.body == b""


@pytest.mark.parametrize(("method", "code", "status"), [("HEAD", "NoSuchKey", 404), ("GET", "NotModified", 304)])
def test_s3_answers_without_a_body_where_http_has_none(method: str, code: str, status: int) -> None:
    error = ServiceError(code, "…", status)
    response = serialize_error("rest-xml", "s3", error, request(method, "/b/k"), "request-1")
    assert (response.status, response.body) == (status, b"")


def test_a_field_that_the_model_does_not_know_is_a_handlers_mistake() -> None:
    error = ServiceError("ModelError", "…", Colour="red")
    with pytest.raises(TypeError, match="Colour"):
        serialize_error("rest-json", "sagemaker-runtime", error, request("POST", "/"), "request-1")
