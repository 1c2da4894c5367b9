"""Which operation a request asks for: what the models do not say, or what is easily got wrong."""

import pytest

from clary.wire.errors import ServiceError
from clary.wire.http import Request
from clary.wire.identify import Identified, has_form, identify, protocol_of

from .requests import request


def s3(method: str, target: str, **headers: str) -> Identified:
    return identify(request(method, target, headers), "s3")


@pytest.mark.parametrize(
    ("method", "target", "operation"),
    [
        ("GET", "/", "ListBuckets"),
        ("GET", "/b", "ListObjects"),
        ("GET", "/b/", "ListObjects"),
        ("GET", "/b?list-type=2", "ListObjectsV2"),
        ("GET", "/b?list-type=1", "ListObjects"),
        ("GET", "/b?versions", "ListObjectVersions"),
        ("GET", "/b?location=", "GetBucketLocation"),
        ("GET", "/b?inventory", "ListBucketInventoryConfigurations"),
        ("GET", "/b?inventory&id=1", "GetBucketInventoryConfiguration"),
        ("GET", "/b/k?uploadId=u", "ListParts"),
        ("PUT", "/b/k", "PutObject"),
        ("PUT", "/b/k?partNumber=1&uploadId=u", "UploadPart"),
        ("PUT", "/b?lifecycle", "PutBucketLifecycleConfiguration"),
        ("POST", "/b?delete", "DeleteObjects"),
        ("POST", "/b/k?uploads", "CreateMultipartUpload"),
        ("POST", "/b/k?uploadId=u", "CompleteMultipartUpload"),
        ("HEAD", "/b", "HeadBucket"),
    ],
)
def test_s3_operations_are_told_by_method_path_and_query(method: str, target: str, operation: str) -> None:
    assert s3(method, target).operation.name == operation


def test_a_copy_source_makes_a_put_a_copy() -> None:
    source = {"x-amz-copy-source": "a/b"}
    assert s3("PUT", "/b/k", **source).operation.name == "CopyObject"
    assert s3("PUT", "/b/k?partNumber=1&uploadId=u", **source).operation.name == "UploadPartCopy"


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/b/a//b", "a//b"),
        ("/b//a", "/a"),
        ("/b/a/", "a/"),
        ("/b/../../etc/passwd", "../../etc/passwd"),
        ("/b/%2e%2e/x", "../x"),
        ("/b/a%2Fb", "a/b"),
        ("/b/a%252Fb", "a%2Fb"),
        ("/b/a+b", "a+b"),
        ("/b/%F0%9F%8E%89", "🎉"),
        ("/b/a%0Ab", "a\nb"),
        ("/b/" + "é%C3%A9".encode().decode("latin-1"), "éé"),
    ],
)
def test_keys_are_decoded_once_and_never_normalised(path: str, key: str) -> None:
    assert s3("PUT", path).labels == {"Bucket": "b", "Key": key}


@pytest.mark.parametrize(
    ("host", "path", "labels"),
    [
        ("my.bucket.s3.us-east-1.amazonaws.com", "/k/x", {"Bucket": "my.bucket", "Key": "k/x"}),
        ("b.s3.amazonaws.com:443", "/", {"Bucket": "b"}),
        ("b.s3-eu-west-1.amazonaws.com", "/k", {"Bucket": "b", "Key": "k"}),
        ("b.s3.dualstack.eu-west-1.amazonaws.com", "/k", {"Bucket": "b", "Key": "k"}),
        ("b.localhost:7373", "/k", {"Bucket": "b", "Key": "k"}),
        ("B.S3.localhost", "/k", {"Bucket": "b", "Key": "k"}),
        ("s3.us-east-1.amazonaws.com", "/b/k", {"Bucket": "b", "Key": "k"}),
        ("s3.localhost:7373", "/b/k", {"Bucket": "b", "Key": "k"}),
        ("localhost:7373", "/b/k", {"Bucket": "b", "Key": "k"}),
        ("127.0.0.1:7373", "/b/k", {"Bucket": "b", "Key": "k"}),
    ],
)
def test_a_bucket_may_be_named_by_the_host(host: str, path: str, labels: dict[str, str]) -> None:
    assert s3("GET", path, host=host).labels == labels


def test_a_key_that_is_not_utf8_is_refused() -> None:
    with pytest.raises(ServiceError) as caught:
        s3("GET", "/b/%ff")
    assert (caught.value.code, caught.value.status) == ("InvalidURI", 400)


def test_a_method_that_s3_does_not_know_is_refused() -> None:
    with pytest.raises(ServiceError) as caught:
        s3("PATCH", "/b/k")
    assert (caught.value.code, caught.value.status) == ("MethodNotAllowed", 405)


def test_uploads_stream_and_other_bodies_are_read() -> None:
    assert s3("PUT", "/b/k").streams_body
    assert not s3("POST", "/b?delete").streams_body
    invocation = identify(request("POST", "/endpoints/e/invocations"), "sagemaker")
    assert not invocation.streams_body


@pytest.mark.parametrize(
    ("signing_name", "method", "path", "service", "operation"),
    [
        ("sagemaker", "POST", "/endpoints/e/invocations", "sagemaker-runtime", "InvokeEndpoint"),
        (None, "POST", "/endpoints/e/invocations", "sagemaker-runtime", "InvokeEndpoint"),
        ("sagemaker", "POST", "/endpoints/e/async-invocations", "sagemaker-runtime", "InvokeEndpointAsync"),
        ("sagemaker", "PUT", "/BatchPutMetrics", "sagemaker-metrics", "BatchPutMetrics"),
        (None, "PUT", "/endpoints/e", "s3", "PutObject"),
    ],
)
def test_services_that_sign_alike_are_told_by_their_paths(
    signing_name: str | None, method: str, path: str, service: str, operation: str
) -> None:
    found = identify(request(method, path), signing_name)
    assert (found.service, found.operation.name) == (service, operation)


@pytest.mark.parametrize(
    ("signing_name", "form", "service"),
    [
        ("sts", b"Action=GetCallerIdentity&Version=2011-06-15", "sts"),
        ("iam", b"Action=GetRole&RoleName=r", "iam"),
        ("monitoring", b"Action=ListMetrics&Version=2010-08-01", "cloudwatch"),
        (None, b"Action=AssumeRoleWithWebIdentity&Version=2011-06-15", "sts"),
    ],
)
def test_query_services_are_told_by_version_or_signing_name(
    signing_name: str | None, form: bytes, service: str
) -> None:
    asked = request("POST", "/", {"content-type": "application/x-www-form-urlencoded; charset=utf-8"})
    assert has_form(asked)
    assert identify(asked, signing_name, form).service == service


def test_a_query_may_be_a_get() -> None:
    asked = request("GET", "/?Action=GetCallerIdentity&Version=2011-06-15")
    assert identify(asked, None).operation.name == "GetCallerIdentity"


@pytest.mark.parametrize(
    ("asked", "signing_name", "protocol", "code"),
    [
        (request("POST", "/", {"x-amz-target": "SageMaker.Nope"}), "sagemaker", "json", "UnknownOperationException"),
        (request("POST", "/", {"x-amz-target": "Nope.CreateModel"}), None, "json", "UnknownOperationException"),
        (request("GET", "/?Action=Nope&Version=2010-05-08"), "iam", "query", "InvalidAction"),
        (request("GET", "/"), "sts", "query", "MissingAction"),
        (request("GET", "/nowhere"), "sagemaker", "rest-json", "UnknownOperationException"),
    ],
)
def test_what_is_not_there_is_refused_in_its_protocol(
    asked: Request, signing_name: str | None, protocol: str, code: str
) -> None:
    assert protocol_of(asked, signing_name) == protocol
    with pytest.raises(ServiceError) as caught:
        identify(asked, signing_name)
    assert caught.value.code == code


def test_a_protocol_that_is_not_spoken_is_named() -> None:
    asked = request(
        "POST",
        "/service/GraniteServiceVersion20100801/operation/ListMetrics",
        {"smithy-protocol": "rpc-v2-cbor"},
    )
    with pytest.raises(ServiceError, match="rpc-v2-cbor"):
        identify(asked, "monitoring")
