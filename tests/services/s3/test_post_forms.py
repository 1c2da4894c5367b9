"""Forms that browsers send to a bucket, made by boto3's `generate_presigned_post` and sent as bytes."""

import base64
import hmac
import itertools
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from email.message import Message
from typing import Any

import boto3
import pytest
from botocore.config import Config

from tests.platform import Platform

SITE = "https://app.example.com"
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def s3(platform: Platform) -> Any:
    return platform.client("s3", signature_version="s3v4")


@pytest.fixture
def bucket(s3: Any) -> str:
    name = f"forms-{next(_numbers)}"
    s3.create_bucket(Bucket=name)
    return name


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: Any) -> None:
        return None


def send(
    url: str, fields: dict[str, str], content: bytes | None, filename: str = "a.txt", **headers: str
) -> tuple[int, Message, str]:
    parts = [f'--XX\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{fields[name]}\r\n' for name in fields]
    body = "".join(parts).encode()
    if content is not None:
        body += f'--XX\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\n'.encode()
        body += b"Content-Type: text/html\r\n\r\n" + content + b"\r\n"
    body += b"--XX--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=XX", **headers}
    opener = urllib.request.build_opener(_NoRedirect)
    try:
        with opener.open(urllib.request.Request(url, data=body, method="POST", headers=headers)) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


def test_a_form_becomes_an_object(s3: Any, bucket: str) -> None:
    fields = {"Content-Type": "text/plain", "x-amz-meta-who": "ann", "x-amz-storage-class": "STANDARD_IA"}
    fields |= {"tagging": "<Tagging><TagSet><Tag><Key>team</Key><Value>m l</Value></Tag></TagSet></Tagging>"}
    post = s3.generate_presigned_post(
        bucket, "dir/a b+ü.txt", Fields=fields, Conditions=[{name: value} for name, value in fields.items()]
    )
    status, headers, _ = send(post["url"], post["fields"], b"hello")
    assert (status, headers["ETag"]) == (204, '"5d41402abc4b2a76b9719d911017c592"')
    found = s3.get_object(Bucket=bucket, Key="dir/a b+ü.txt")
    assert (found["Body"].read(), found["ContentType"], found["Metadata"]) == (b"hello", "text/plain", {"who": "ann"})
    assert found["StorageClass"] == "STANDARD_IA"
    tags = s3.get_object_tagging(Bucket=bucket, Key="dir/a b+ü.txt")["TagSet"]
    assert tags == [{"Key": "team", "Value": "m l"}]


def test_the_file_may_hold_anything_and_be_large(s3: Any, bucket: str) -> None:
    content = b"\r\n--X\r\n--XY--\r\n" * 300_000 + b"\r\n--X"
    post = s3.generate_presigned_post(bucket, "large")
    assert send(post["url"], post["fields"], content)[0] == 204
    assert s3.get_object(Bucket=bucket, Key="large")["Body"].read() == content
    assert send(post["url"], post["fields"], b"")[0] == 204
    assert s3.head_object(Bucket=bucket, Key="large")["ContentLength"] == 0


def test_a_key_may_take_the_name_of_the_file(s3: Any, bucket: str) -> None:
    post = s3.generate_presigned_post(bucket, "user/${filename}")
    assert send(post["url"], post["fields"], b"x", filename="C:\\pictures\\me.png")[0] == 204
    assert s3.head_object(Bucket=bucket, Key="user/me.png")["ContentType"] == "binary/octet-stream"


def test_the_form_says_how_it_is_answered(s3: Any, bucket: str) -> None:
    for asked, given in (("200", 200), ("204", 204), ("999", 204)):
        fields = {"success_action_status": asked}
        post = s3.generate_presigned_post(bucket, "key", Fields=fields, Conditions=[fields])
        assert send(post["url"], post["fields"], b"x")[0] == given
    fields = {"success_action_status": "201"}
    post = s3.generate_presigned_post(bucket, "a&b", Fields=fields, Conditions=[fields])
    status, headers, body = send(post["url"], post["fields"], b"x")
    assert (status, headers["Location"]) == (201, f"{post['url'].rstrip('/')}/a%26b")
    assert f"<Bucket>{bucket}</Bucket><Key>a&amp;b</Key><ETag>" in body
    fields = {"success_action_redirect": f"{SITE}/done?x=1"}
    post = s3.generate_presigned_post(bucket, "key", Fields=fields, Conditions=[fields])
    status, headers, _ = send(post["url"], post["fields"], b"x")
    there = urllib.parse.urlsplit(headers["Location"])
    assert (status, f"{there.scheme}://{there.netloc}{there.path}") == (303, f"{SITE}/done")
    named = dict(urllib.parse.parse_qsl(there.query))
    assert named == {"x": "1", "bucket": bucket, "key": "key", "etag": '"9dd4e461268c8034f5c8564e155c67a6"'}


@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        ({"key": "other"}, "AccessDenied", "Invalid according to Policy: Policy Condition failed: "),
        ({"acl": "private"}, "AccessDenied", "Invalid according to Policy: Extra input fields: acl"),
        ({"x-amz-meta-who": "eve"}, "AccessDenied", "Invalid according to Policy: Policy Condition failed: "),
        ({"x-amz-signature": "0" * 64}, "SignatureDoesNotMatch", "The request signature we calculated"),
        ({"policy": "e30="}, "SignatureDoesNotMatch", "The request signature we calculated"),
        ({"x-amz-algorithm": "NONE"}, "InvalidArgument", "Bucket POST must contain the fields"),
        ({"x-amz-credential": "key/20200101/us-east-1/s3"}, "AuthorizationHeaderMalformed", "The authorization"),
        ({"key": ""}, "InvalidArgument", "Bucket POST must contain a field named 'key'."),
        ({"x-ignore-long": "x" * 21_000}, "MaxPostPreDataLengthExceeded", "Your POST request fields"),
    ],
)
def test_a_changed_form_is_refused(s3: Any, bucket: str, changes: dict[str, str], code: str, message: str) -> None:
    fields = {"x-amz-meta-who": "ann"}
    post = s3.generate_presigned_post(bucket, "key", Fields=fields, Conditions=[fields])
    _, _, body = send(post["url"], post["fields"] | changes, b"x")
    assert f"<Code>{code}</Code><Message>{message}" in body.replace("&#x27;", "'").replace("&apos;", "'")
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)
    assert send(post["url"], post["fields"] | {"x-ignore-this": "x"}, b"x")[0] == 204


def test_a_form_is_good_for_its_own_bucket_and_time(platform: Platform, s3: Any, bucket: str) -> None:
    post = s3.generate_presigned_post(bucket, "key", ExpiresIn=-1)
    status, _, body = send(post["url"], post["fields"], b"x")
    assert (status, "Invalid according to Policy: Policy expired." in body) == (403, True)
    post = s3.generate_presigned_post("another-bucket", "key")
    assert send(f"{platform.url}/{bucket}", post["fields"], b"x")[0] == 403


def test_the_size_of_the_file_can_be_bounded(s3: Any, bucket: str) -> None:
    post = s3.generate_presigned_post(bucket, "key", Conditions=[["content-length-range", 2, 100_000]])
    for content, code in ((b"x", "EntityTooSmall"), (bytes(100_001), "EntityTooLarge"), (bytes(9 << 20), "EntityTooL")):
        status, _, body = send(post["url"], post["fields"], content)
        assert (status, f"<Code>{code}" in body) == (400, True)
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)
    assert send(post["url"], post["fields"], bytes(100_000))[0] == 204


def test_what_is_no_form(platform: Platform, s3: Any, bucket: str) -> None:
    post = s3.generate_presigned_post(bucket, "key")
    _, _, body = send(post["url"], post["fields"], None)
    assert "POST requires exactly one file upload per request." in body
    plain = urllib.request.Request(f"{platform.url}/{bucket}", data=b"x", method="POST")
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(plain)
    assert (error.value.code, b"enclosure-type multipart/form-data" in error.value.read()) == (412, True)
    for content_type, sent in (
        ("multipart/form-data", b"--XX--\r\n"),
        ("multipart/form-data; boundary=XX", b"nothing"),
        ("multipart/form-data; boundary=XX", b"--XX\r\nContent-Disposition: form-data\r\n\r\nx\r\n--XX--\r\n"),
        ("multipart/form-data; boundary=XX", b'--XX\r\nContent-Disposition: form-data; name="a"\r\n\r\n\xff\r\n--XX'),
    ):
        headers = {"Content-Type": content_type}
        request = urllib.request.Request(f"{platform.url}/{bucket}", data=sent, headers=headers, method="POST")
        with pytest.raises(urllib.error.HTTPError) as error:
            urllib.request.urlopen(request)
        assert (error.value.code, b"MalformedPOSTRequest" in error.value.read()) == (400, True)


def test_a_file_that_breaks_off_is_not_kept(s3: Any, bucket: str) -> None:
    post = s3.generate_presigned_post(bucket, "key")
    cut = {
        **post["fields"],
        "x-ignore-end": "x\r\n" + '--XX\r\nContent-Disposition: form-data; name="file"\r\n\r\nhalf',
    }
    body = "".join(
        f'--XX\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in cut.items()
    )
    headers = {"Content-Type": "multipart/form-data; boundary=XX"}
    request = urllib.request.Request(post["url"], data=body.encode(), headers=headers, method="POST")
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(request)
    assert b"MalformedPOSTRequest" in error.value.read()
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)


def test_forms_signed_by_version_2(platform: Platform, bucket: str, s3: Any) -> None:
    access_key, secret = platform.keys()
    expiration = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() + 60))
    document = {"expiration": expiration, "conditions": [{"bucket": bucket}, ["starts-with", "$key", ""]]}
    policy = base64.b64encode(json.dumps(document).encode()).decode()
    signature = base64.b64encode(hmac.digest(secret.encode(), policy.encode(), "sha1")).decode()
    fields = {"key": "two", "AWSAccessKeyId": access_key, "policy": policy, "signature": signature}
    assert send(f"{platform.url}/{bucket}", fields, b"x")[0] == 204
    assert s3.head_object(Bucket=bucket, Key="two")["ContentLength"] == 1
    assert send(f"{platform.url}/{bucket}", fields | {"signature": signature[::-1]}, b"x")[0] == 403


def test_unsigned_forms_are_for_buckets_that_are_open(platform: Platform, s3: Any, bucket: str) -> None:
    url = f"{platform.url}/{bucket}"
    assert send(url, {"key": "stranger"}, b"x")[0] == 403
    s3.delete_public_access_block(Bucket=bucket)
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{bucket}/in/*",
    }
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Statement": [statement]}))
    assert send(url, {"key": "in/stranger"}, b"x")[0] == 204
    assert send(url, {"key": "out/stranger"}, b"x")[0] == 403


def test_a_form_sent_by_a_script_of_another_site(s3: Any, bucket: str) -> None:
    rule = {"AllowedMethods": ["POST"], "AllowedOrigins": [SITE]}
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [rule]})
    post = s3.generate_presigned_post(bucket, "key")
    _, headers, _ = send(post["url"], post["fields"], b"x", Origin=SITE)
    assert headers["Access-Control-Allow-Origin"] == SITE


def test_fields_cannot_break_out_of_a_header(s3: Any, bucket: str) -> None:
    conditions = [["starts-with", "$x-amz-meta-who", ""]]
    post = s3.generate_presigned_post(bucket, "key", Conditions=conditions)
    _, _, body = send(post["url"], post["fields"] | {"x-amz-meta-who": "ann\r\nSet-Cookie: x=y"}, b"x")
    assert "<Code>InvalidArgument</Code>" in body


def test_forms_of_a_session(platform: Platform, bucket: str) -> None:
    sts = platform.client("sts")
    arn = f"arn:aws:iam::{sts.get_caller_identity()['Account']}:role/Poster"
    keys = sts.assume_role(RoleArn=arn, RoleSessionName="session")["Credentials"]
    session = boto3.client(
        "s3",
        endpoint_url=platform.url,
        region_name="us-east-1",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
        config=Config(signature_version="s3v4"),
    )
    post = session.generate_presigned_post(bucket, "key")
    assert send(post["url"], post["fields"], b"x")[0] == 204
    token = {"x-amz-security-token": post["fields"]["x-amz-security-token"][:-4]}
    assert send(post["url"], post["fields"] | token, b"x")[0] == 400
