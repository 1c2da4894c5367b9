"""Requests that do not follow their protocol: AWS's errors for them, and never anything but an AWS error."""

import gzip
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clary.wire.errors import ServiceError
from clary.wire.identify import identify
from clary.wire.models import SERVICES, Protocol, service_model
from clary.wire.parse import parse
from clary.wire.validate import validate

from .requests import default_protocol, from_client, request
from .shapes import REQUESTS, values

FORM = {"content-type": "application/x-www-form-urlencoded"}


def read_json(service: str, operation: str, body: bytes) -> dict[str, Any]:
    target = service_model(service).metadata["targetPrefix"]
    asked = request("POST", "/", {"x-amz-target": f"{target}.{operation}"})
    found = identify(asked, None)
    params = parse(found, asked, body)
    validate(found.operation, params)
    return params


def read_s3(method: str, target: str, body: bytes = b"", headers: dict[str, str] | None = None) -> dict[str, Any]:
    asked = request(method, target, headers)
    found = identify(asked, "s3")
    params = parse(found, asked, body)
    validate(found.operation, params)
    return params


def read_query(signing_name: str, form: bytes) -> dict[str, Any]:
    asked = request("POST", "/", FORM)
    found = identify(asked, signing_name, form)
    params = parse(found, asked, form)
    validate(found.operation, params)
    return params


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"TrainingJobName": 1}, "NUMBER_VALUE can not be converted to a String"),
        ({"TrainingJobName": True}, "TRUE_VALUE can not be converted to a String"),
        ({"TrainingJobName": {}}, "Start of structure or map found where not expected."),
        ({"TrainingJobName": []}, "Start of list found where not expected"),
        ({"Tags": "a"}, "Unexpected field type"),
        ({"StoppingCondition": 1}, "Unexpected field type"),
        ({"EnableNetworkIsolation": "yes"}, "STRING_VALUE can not be converted to a Boolean"),
        ({"ResourceConfig": {"InstanceCount": "1"}}, "STRING_VALUE can not be converted to an Integer"),
        ({"ResourceConfig": {"InstanceCount": 1.5}}, "NUMBER_VALUE can not be converted to an Integer"),
        ({"ResourceConfig": {"InstanceCount": 1 << 31}}, "NUMBER_VALUE can not be converted to an Integer"),
        ([], "Start of list found where not expected"),
        ("text", "Unexpected field type"),
    ],
)
def test_a_json_value_of_another_type(document: Any, message: str) -> None:
    with pytest.raises(ServiceError) as caught:
        read_json("sagemaker", "CreateTrainingJob", orjson.dumps(document))
    assert (caught.value.code, caught.value.message, caught.value.status) == (
        "SerializationException",
        message,
        400,
    )


@pytest.mark.parametrize("body", [b"{", b"\xff", b'{"a":1}x', b"[" * 100_000, b'{"TrainingJobName":"\\ud800"}'])
def test_a_body_that_is_not_json(body: bytes) -> None:
    with pytest.raises(ServiceError) as caught:
        read_json("sagemaker", "CreateTrainingJob", body)
    assert caught.value.code == "SerializationException"


def test_a_shape_that_holds_itself_may_not_be_nested_without_end() -> None:
    depth = 40
    body = b'{"Resource":"TrainingJob","SearchExpression":' + b'{"SubExpressions":[' * depth + b"]}" * depth + b"}"
    with pytest.raises(ServiceError) as caught:
        read_json("sagemaker", "Search", body)
    assert caught.value.code == "SerializationException"


def test_null_is_absence_and_unknown_members_are_ignored() -> None:
    body = orjson.dumps({"TrainingJobName": "a", "Colour": "red", "NextToken": None})
    assert read_json("sagemaker", "DescribeTrainingJob", body) == {"TrainingJobName": "a"}


@pytest.mark.parametrize(
    "body",
    [
        b"<Delete><Object>",
        b"not xml",
        b"<Delete/>",
        b"<Delete><Object/></Delete>",
        b"<Delete><Quiet>perhaps</Quiet><Object><Key>a</Key></Object></Delete>",
        b"\xff\xfe",
        b"<a>" * 100_000,
        b"<p:Delete/>",
        b'<!DOCTYPE Delete [<!ENTITY e "x">]><Delete><Object><Key>&e;</Key></Object></Delete>',
        '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE D [<!ENTITY e "x">]><Delete>&e;</Delete>'.encode("utf-16"),
    ],
)
def test_xml_that_s3_does_not_take(body: bytes) -> None:
    with pytest.raises(ServiceError) as caught:
        read_s3("POST", "/b?delete", body)
    assert (caught.value.code, caught.value.status) == ("MalformedXML", 400)


def test_xml_is_read_whatever_its_namespace() -> None:
    plain = b"<Delete><Object><Key>a\xc3\xa9</Key></Object></Delete>"
    prefixed = (
        b'<s:Delete xmlns:s="http://s3.amazonaws.com/doc/2006-03-01/"><s:Object><s:Key>a&#233;</s:Key></s:Object>'
        b"</s:Delete>"
    )
    assert read_s3("POST", "/b?delete", plain) == read_s3("POST", "/b?delete", prefixed)


@pytest.mark.parametrize(
    ("target", "headers"),
    [
        ("/b?list-type=2&max-keys=many", {}),
        ("/b?list-type=2&max-keys=1_0", {}),
        ("/b?list-type=2&max-keys=99999999999", {}),
        ("/b/k?partNumber=x", {}),
        ("/b/k", {"if-modified-since": "yesterday"}),
    ],
)
def test_a_query_or_header_of_another_type(target: str, headers: dict[str, str]) -> None:
    with pytest.raises(ServiceError) as caught:
        read_s3("GET", target, headers=headers)
    assert (caught.value.code, caught.value.status) == ("InvalidArgument", 400)


@pytest.mark.parametrize(
    "form",
    [
        b"Action=AssumeRole&DurationSeconds=soon",
        b"Action=AssumeRole&PolicyArns.member.x.arn=a",
        b"Action=AssumeRole&RoleArn.x=a",
        b"Action=AssumeRole&RoleArn=%ff",
        b"Action=AssumeRole&" + b"a." * 1000 + b"=1",
    ],
)
def test_a_form_that_does_not_follow_the_shapes(form: bytes) -> None:
    with pytest.raises(ServiceError) as caught:
        read_query("sts", form)
    assert (caught.value.code, caught.value.status) == ("MalformedInput", 400)


def test_a_query_in_the_url_is_read_as_a_form_is() -> None:
    asked = request("GET", "/?Action=GetRole&Version=2010-05-08&RoleName=a%2Bb")
    assert parse(identify(asked, "iam"), asked, b"") == {"RoleName": "a+b"}


@pytest.mark.parametrize("protocol", ["json", "query"])
def test_a_compressed_body_is_inflated(protocol: str) -> None:
    if protocol == "json":
        headers = {"x-amz-target": "GraniteServiceVersion20100801.ListMetrics"}
        body = gzip.compress(b'{"Namespace":"n"}')
    else:
        headers = dict(FORM)
        body = gzip.compress(b"Action=ListMetrics&Version=2010-08-01&Namespace=n")
    asked = request("POST", "/", headers | {"content-encoding": "gzip"})
    assert parse(identify(asked, "monitoring", body), asked, body) == {"Namespace": "n"}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"no gzip", id="no gzip"),
        pytest.param(gzip.compress(b"{}")[:-1], id="cut off"),
        pytest.param(gzip.compress(b" " * (17 << 20)), id="bomb"),
    ],
)
def test_a_compressed_body_may_be_neither_broken_nor_a_bomb(body: bytes) -> None:
    asked = request("POST", "/", {"x-amz-target": "SageMaker.ListModels", "content-encoding": "gzip"})
    with pytest.raises(ServiceError) as caught:
        parse(identify(asked, "sagemaker"), asked, body)
    assert (caught.value.code, caught.value.status) == ("SerializationException", 400)


def test_lists_in_forms_are_ordered_by_number() -> None:
    second, tenth = b"Tags.member.2.Key=b&Tags.member.2.Value=", b"Tags.member.10.Key=j&Tags.member.10.Value="
    tags = read_query("iam", b"Action=TagRole&RoleName=r&%b&%b" % (tenth, second))["Tags"]
    assert [tag["Key"] for tag in tags] == ["b", "j"]


DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
OPERATIONS = [
    (service, default_protocol(service), name)
    for service in SERVICES
    for name in service_model(service).operation_names
]
JSON_OPERATIONS = [
    (service, name)
    for service in ("sagemaker", "logs", "cloudwatch")
    for name in service_model(service).operation_names
]


def refused(read: Callable[[], object]) -> int:
    """The status of the refusal, 200 where there is none. Any other exception is a failure."""
    try:
        read()
    except ServiceError as error:
        return error.status or 0
    return 200


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(JSON_OPERATIONS), st.data())
def test_any_document_is_read_or_refused(asked: tuple[str, str], data: st.DataObject) -> None:
    service, name = asked
    members = list(service_model(service).operation_model(name).input_shape.members)
    names = st.sampled_from(members) if members else st.text(max_size=5)
    document = data.draw(st.dictionaries(names, DOCUMENTS, max_size=4) | DOCUMENTS)
    assert refused(lambda: read_json(service, name, orjson.dumps(document))) in (200, 400)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(["GET", "PUT", "POST", "HEAD", "DELETE", "PATCH", "OPTIONS"]),
    st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=20),
    st.dictionaries(
        st.sampled_from(["host", "range", "x-amz-acl", "x-amz-copy-source", "if-match", "x-amz-meta-a"]),
        st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF), max_size=10),
    ),
    st.binary(max_size=20),
    st.sampled_from(["s3", "sagemaker", "sts", None]),
)
def test_any_request_line_is_read_or_refused(
    method: str, target: str, headers: dict[str, str], body: bytes, signing_name: str | None
) -> None:
    asked = request(method, "/" + target, headers)
    status = refused(lambda: parse(identify(asked, signing_name, body), asked, body))
    assert status in (200, 400, 404, 405, 412)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(OPERATIONS), st.data())
def test_a_request_that_was_damaged_on_its_way_is_read_or_refused(
    asked: tuple[str, Protocol, str], data: st.DataObject
) -> None:
    service, protocol, name = asked
    operation = service_model(service).operation_model(name)
    sent, body = from_client(operation, protocol, data.draw(values(operation.input_shape, REQUESTS[protocol])))
    damaged = bytearray(body)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(damaged)))
        damaged[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))

    def read() -> None:
        found = identify(sent, operation.service_model.signing_name, bytes(damaged))
        validate(found.operation, parse(found, sent, bytes(damaged)))

    assert refused(read) in (200, 400)


def test_only_rest_streams_a_body() -> None:
    asked = request("POST", "/", {"x-amz-target": "SageMaker.ListModels"})
    with pytest.raises(TypeError):
        parse(identify(asked, "sagemaker"), asked, asked.body)
