"""Every operation of every service, both ways, with botocore's own serialiser and parser as the other side."""

import io
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.awsrequest import HeadersDict
from botocore.handlers import parse_get_bucket_location
from botocore.model import OperationModel, StructureShape
from botocore.parsers import create_parser
from botocore.response import StreamingBody
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from clary.wire.http import Response
from clary.wire.identify import has_form, identify
from clary.wire.models import SERVICES, Protocol, payload_member, service_model
from clary.wire.parse import parse
from clary.wire.serialize import serialize

from .requests import default_protocol, from_client
from .shapes import REQUESTS, RESPONSES, as_house, values

UNREACHABLE = {
    "ListDirectoryBuckets": "is GET / as ListBuckets is; only the host of S3 Express tells them apart",
    "GetBucketLifecycle": "deprecated; its successor has the same address",
    "GetBucketNotification": "deprecated; its successor has the same address",
    "PutBucketLifecycle": "deprecated; its successor has the same address",
    "PutBucketNotification": "deprecated; its successor has the same address",
}
"""No request is ever found to be one of these, with the reason."""

OPERATIONS = [
    (service, protocol, name)
    for service in SERVICES
    # An older CLI speaks query to CloudWatch, today's json.
    for protocol in ([default_protocol(service)] if service != "cloudwatch" else ["json", "query"])
    for name in service_model(service).operation_names
    if name not in UNREACHABLE
]

# test_events.py has the others, and GetBucketLocation, which no model describes, has a test below.
ANSWERED_BY_MODEL = [
    (service, protocol, name)
    for service, protocol, name in OPERATIONS
    if not service_model(service).operation_model(name).has_event_stream_output and name != "GetBucketLocation"
]

quick = settings(
    max_examples=4,
    phases=[Phase.explicit, Phase.generate],
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
thorough = settings(quick, max_examples=100, phases=[Phase.explicit, Phase.generate, Phase.shrink])


def check_request(service: str, protocol: Protocol, name: str, params: dict[str, Any]) -> None:
    operation = service_model(service).operation_model(name)
    sent, body = from_client(operation, protocol, params)
    found = identify(sent, operation.service_model.signing_name, body if has_form(sent) else b"")
    assert (found.service, found.operation.name, found.protocol) == (service, name, protocol)
    parsed = parse(found, sent, body)
    if "ContentLength" not in params:
        # A member of S3's uploads, which every HTTP client fills in.
        parsed.pop("ContentLength", None)
    assert as_sent(operation.input_shape, parsed) == as_sent(operation.input_shape, params)


def as_sent(shape: StructureShape | None, members: dict[str, Any]) -> dict[str, Any]:
    """`members` in the house's form, less what cannot be told from nothing: an empty body, no metadata headers."""
    located = shape.members if shape else {}
    outside = {payload_member(shape), *(n for n in located if located[n].serialization.get("location") == "headers")}
    return {name: value for name, value in as_house(members).items() if value or name not in outside}


def check_response(service: str, protocol: Protocol, name: str, result: dict[str, Any]) -> None:
    operation = service_model(service).operation_model(name)
    response = serialize(operation, protocol, as_house(result), "request-1")
    parsed = to_client(operation, protocol, response)
    metadata = parsed.pop("ResponseMetadata")
    assert metadata["RequestId"] == "request-1"
    assert as_sent(operation.output_shape, parsed) == as_sent(operation.output_shape, result)


def to_client(operation: OperationModel, protocol: str, response: Response) -> dict[str, Any]:
    """What botocore makes of a response."""
    body: Any = response.body
    if operation.has_streaming_output:
        assert isinstance(response.body, bytes)
        body = StreamingBody(io.BytesIO(response.body), len(response.body))
    answer = {
        "headers": HeadersDict(response.headers),
        "status_code": response.status,
        "body": body,
        "context": {"operation_name": operation.name},
    }
    parsed: dict[str, Any] = create_parser(protocol).parse(answer, operation.output_shape)
    for name, value in parsed.items():
        if isinstance(value, StreamingBody):
            parsed[name] = value.read()
    return parsed


def each(strategy: st.SearchStrategy[Any], effort: settings, check: Callable[[Any], None]) -> None:
    """Run `check` on examples. `@given` over a parametrised test would serve, did its settings not pile up."""

    @effort
    @given(strategy)
    def run(example: Any) -> None:
        check(example)

    run()


def check_requests(service: str, protocol: Protocol, name: str, effort: settings) -> None:
    shape = service_model(service).operation_model(name).input_shape
    each(values(shape, REQUESTS[protocol]), effort, partial(check_request, service, protocol, name))


def check_responses(service: str, protocol: Protocol, name: str, effort: settings) -> None:
    shape = service_model(service).operation_model(name).output_shape
    each(values(shape, RESPONSES[protocol]), effort, partial(check_response, service, protocol, name))


NAMES = ("service", "protocol", "name")
every_request = pytest.mark.parametrize(NAMES, OPERATIONS)
every_response = pytest.mark.parametrize(NAMES, ANSWERED_BY_MODEL)


@every_request
def test_requests_are_read_as_they_were_meant(service: str, protocol: Protocol, name: str) -> None:
    check_requests(service, protocol, name, quick)


@every_response
def test_clients_read_responses_as_they_were_meant(service: str, protocol: Protocol, name: str) -> None:
    check_responses(service, protocol, name, quick)


@pytest.mark.parametrize("region", [None, "eu-west-1"])
def test_the_location_of_a_bucket_is_the_root_element(region: str | None) -> None:
    operation = service_model("s3").operation_model("GetBucketLocation")
    response = serialize(operation, "rest-xml", {"LocationConstraint": region}, "request-1")
    parsed: dict[str, Any] = {}
    parse_get_bucket_location(parsed, SimpleNamespace(raw=response, content=response.body))
    assert parsed == {"LocationConstraint": region}


@pytest.mark.slow
@every_request
def test_requests_at_length(service: str, protocol: Protocol, name: str) -> None:
    check_requests(service, protocol, name, thorough)


@pytest.mark.slow
@every_response
def test_responses_at_length(service: str, protocol: Protocol, name: str) -> None:
    check_responses(service, protocol, name, thorough)
