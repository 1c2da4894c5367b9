"""Malformed requests, byte by byte, from a seed: what a platform must survive.

    make_requests(seed, count, credentials, port) → Attempt(kind, data, answered)

Most are signed correctly, so that they get past the door and into the parsers, the validation and the handlers.
Keys and names that try to leave the state directory carry MARK, so that a stray file can be found.
"""

import base64
import json
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from hmac import digest
from typing import Any
from urllib.parse import quote

import botocore.session

from clary.wire.canonical import canonical_pairs, canonical_path, canonical_request
from clary.wire.credentials import Identity
from clary.wire.dates import amz_date
from clary.wire.http import Headers
from clary.wire.sigv4 import ALGORITHM, UNSIGNED_PAYLOAD, signing_key

MARK = "clary-fuzz-stray"
BUCKET = "fuzz"


@dataclass(frozen=True)
class Attempt:
    kind: str
    data: bytes
    answered: bool
    """Whether the server owes an answer; False for a request that breaks off."""


def make_requests(seed: int, count: int, credentials: Identity, port: int) -> Iterator[Attempt]:
    fuzzer = Fuzzer(random.Random(seed), credentials, port)
    for _ in range(count):
        yield fuzzer.attempt()


PATHS = [
    f"../{MARK}",
    f"../../../../../../../../tmp/{MARK}",
    f"/../../../{MARK}",
    f"..%2f..%2f{MARK}",
    f"%2e%2e/%2e%2e/{MARK}",
    f"..%5c..%5c{MARK}",
    f"a/../../{MARK}",
    f"a//b/./{MARK}/..",
    f"{MARK}%00.txt",
    f"%c0%ae%c0%ae/{MARK}",
    f"%ff%fe{MARK}",
    f"%zz%{MARK}",
    f"C:\\{MARK}",
    "a" * 1025,
    "a/" * 512,
    "%F0%9F%92%A9",
    "~root",
    "$(id)",
    ";ls",
    "con",
    "-rf",
    "",
]
VALUES: list[Any] = [
    None, True, 0, -1, 1e308, 2**63, 2**200, "", "x" * 70_000, "\x00", "\ud800", "../" + MARK, "💩", [], {}, [[]],
    [None], {"": None}, [{}] * 50, "arn:aws:sagemaker", "arn:aws:iam::123456789012:role/../" + MARK,
    "s3://" + BUCKET + "/../../" + MARK, "NaN", "1e999", "2026-13-45T99:99:99Z", "%s%n{}", "'; DROP TABLE records; --",
]  # fmt: skip
BROKEN_JSON = [
    b"", b"{", b"}", b"nul", b"[1,2", b'{"a":}', b'{"a" 1}', b"{'a': 1}", b'"text"', b"[]", b"12", b"null", b"NaN",
    b'{"a": NaN}', b'{"a": Infinity}', b'{"a": 1e9999}', b'{"a": "\\ud800"}', b'{"a": "\xff"}', b"\xff\xfe{}",
    b"\xef\xbb\xbf{}", b"[" * 100_000, b'{"a":' * 5_000, b'{"MaxResults": ' + b"9" * 5_000 + b"}", b"{}garbage",
    b'{"a": 1, "a": 2}',
]  # fmt: skip
BROKEN_XML = [
    b"",
    b"<",
    b"<a>",
    b"<a></b>",
    b"<a/>",
    b"not xml",
    b"<?xml version='1.0' encoding='utf-99'?><a/>",
    b"<Delete>" + b"<Object><Key>k</Key></Object>" * 1001 + b"</Delete>",
    b"<Tagging><TagSet><Tag><Key/></Tag></TagSet></Tagging>",
    b"<CompleteMultipartUpload><Part><PartNumber>x</PartNumber></Part></CompleteMultipartUpload>",
    b"<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><Delete><Object><Key>&x;</Key></Object></Delete>",
    b"<!DOCTYPE a [<!ENTITY a '" + b"x" * 99 + b"'><!ENTITY b '" + b"&a;" * 99 + b"'>]><a>" + b"&b;" * 99 + b"</a>",
    b"<a>" * 20_000,
]
SUBRESOURCES = [
    "", "acl", "tagging", "uploads", "delete", "versioning", "versions", "location", "policy", "list-type=2",
    "uploadId=../" + MARK, "partNumber=x&uploadId=y", "partNumber=99999&uploadId=%00", "versionId=..%2f" + MARK,
    "max-keys=-1", "max-keys=x&list-type=2", "continuation-token=%ff&list-type=2", "prefix=%00&delimiter=%ff",
    "encoding-type=none", "lifecycle", "=", "&&", "%zz=%", "prefix=X-Amz-Algorithm=", "select&select-type=2",
]  # fmt: skip
S3_HEADERS = [
    ("range", "bytes=9-1"),
    ("range", "bytes=" + "0-1," * 2000),
    ("range", "bytes=-" + "9" * 400),
    ("if-modified-since", "yesterday"),
    ("if-none-match", '"'),
    ("content-md5", "!!!"),
    ("x-amz-checksum-crc32", "zzzz"),
    ("x-amz-checksum-sha256", "é"),
    ("x-amz-copy-source", "/../../" + MARK),
    ("x-amz-copy-source", "%ff"),
    ("x-amz-copy-source-range", "bytes=a-b"),
    ("x-amz-decoded-content-length", "-5"),
    ("x-amz-meta-" + "k" * 3000, "v"),
    ("x-amz-meta-a", "v" * 9000),
    ("x-amz-tagging", "=&==&%zz"),
    ("x-amz-storage-class", "NONE"),
    ("x-amz-acl", "everybody"),
    ("x-amz-grant-read", 'id="x", uri=,'),
    ("x-amz-server-side-encryption", "ROT13"),
    ("x-amz-server-side-encryption-aws-kms-key-id", "arn:::"),
    ("x-amz-object-ownership", "Nobody"),
    ("content-encoding", "aws-chunked"),
    ("content-type", "\xff\xfe"),
]
JUNK = [
    b"GET\r\n\r\n", b"GET / HTTP/3.0\r\n\r\n", b"G\x00T / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\n: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: x\r\ncontent-length: 1e3\r\n\r\n", b"GET http://[::1 HTTP/1.1\r\n\r\n",
    b"POST / HTTP/1.1\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd",
    b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\ncontent-length: 3\r\n\r\nabc",
    b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\nabc\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03", b"GET / HTTP/1.1\r\nx: " + b"a" * 200_000 + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 5_000 + b"\r\n", b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: x\r\nx: \x01\x02\r\n\r\n",
]  # fmt: skip
FORM_FIELDS = ("x-amz-algorithm", "x-amz-credential", "x-amz-date", "policy", "x-amz-signature")
TARGETS = {
    "sagemaker": ("SageMaker", "application/x-amz-json-1.1"),
    "logs": ("Logs_20140328", "application/x-amz-json-1.1"),
    "monitoring": ("GraniteServiceVersion20100801", "application/x-amz-json-1.0"),
}
MODELS = {"monitoring": "cloudwatch"}


class Fuzzer:
    def __init__(self, random: random.Random, credentials: Identity, port: int) -> None:
        self._random = random
        self._credentials = credentials
        self._host = f"127.0.0.1:{port}"
        session = botocore.session.Session()
        self._operations = {
            service: session.get_service_model(MODELS.get(service, service)).operation_names
            for service in (*TARGETS, "sts", "iam")
        }
        self._kinds: list[Callable[[], Attempt]] = [
            self._junk,
            self._bad_json,
            self._wrong_types,
            self._wrong_types,
            self._form,
            self._invocation,
            self._object,
            self._object,
            self._bucket,
            self._presigned,
            self._posted,
            self._stranger,
            self._bad_signature,
            self._flipped,
            self._cut_off,
        ]

    def attempt(self) -> Attempt:
        return self._random.choice(self._kinds)()

    def _junk(self) -> Attempt:
        return Attempt("junk", self._random.choice(JUNK), True)

    def _bad_json(self) -> Attempt:
        return Attempt("bad json", self._call(self._random.choice(BROKEN_JSON)), True)

    def _wrong_types(self) -> Attempt:
        names = ["TrainingJobName", "EndpointName", "ModelName", "RoleArn", "ResourceConfig", "NextToken", "MaxResults",
                 "InputDataConfig", "StoppingCondition", "ProductionVariants", "Tags", "ResourceArn", "logGroupName",
                 "logStreamName", "logEvents", "limit", "MetricData", "Namespace", "StartTime", "CreationTimeAfter",
                 "SortBy", "HyperParameters", "Environment", "", "__type"]  # fmt: skip
        document = {name: self._random.choice(VALUES) for name in self._random.sample(names, 6)}
        body = json.dumps(document, ensure_ascii=self._random.random() < 0.5).encode("utf-8", "surrogatepass")
        return Attempt("wrong types", self._call(body), True)

    def _call(self, body: bytes) -> bytes:
        service = self._random.choice(list(TARGETS))
        prefix, content_type = TARGETS[service]
        operation = self._random.choice([*self._operations[service], "Nothing", "../" + MARK, ""])
        headers = [("x-amz-target", f"{prefix}.{operation}"), ("content-type", content_type)]
        if self._random.random() < 0.1:
            headers = [self._random.choice(headers)]
        return self._signed(service, "POST", "/", headers, body)

    def _form(self) -> Attempt:
        service = self._random.choice(["sts", "iam"])
        operation = self._random.choice([*self._operations[service], "Nothing", ""])
        fields = [f"Action={operation}", "Version=2011-06-15"]
        names = ["RoleName", "RoleArn", "Tags.member.1.Key", "Tags.member.999999999.Key", "Tags.member.x",
                 "ActionNames", "DurationSeconds", "MaxItems", "Tags.member.-1", "....", "%zz", ""]  # fmt: skip
        for name in self._random.sample(names, 4):
            value = str(self._random.choice(VALUES)).encode("utf-8", "surrogatepass")
            fields.append(f"{name}={quote(value)}")
        content = [("content-type", "application/x-www-form-urlencoded; charset=utf-8")]
        return Attempt("form", self._signed(service, "POST", "/", content, "&".join(fields).encode()), True)

    def _invocation(self) -> Attempt:
        path = f"/endpoints/{self._random.choice(PATHS)}/invocations"
        headers = [("content-type", self._random.choice(["text/csv", "", "\xff", "a/b;" + "c" * 5000]))]
        headers.append(("x-amzn-sagemaker-target-variant", str(self._random.choice(["", "x" * 900, "..", "\xe9"]))))
        return Attempt("invocation", self._signed("sagemaker", "POST", path, headers, b"1,2,3"), True)

    def _object(self) -> Attempt:
        query = self._random.choice(SUBRESOURCES)
        target = f"/{BUCKET}/{self._random.choice(PATHS)}" + (f"?{query}" if query else "")
        method = self._random.choice(["GET", "PUT", "PUT", "POST", "DELETE", "HEAD"])
        headers = self._random.sample(S3_HEADERS, self._random.randrange(3))
        body = b"" if method in ("GET", "HEAD") else self._random.choice([b"data", *BROKEN_XML])
        return Attempt("object", self._signed("s3", method, target, headers, body), True)

    def _bucket(self) -> Attempt:
        name = self._random.choice([BUCKET, "..", ".", "%2e%2e", "A_B", "a" * 64, "-", "%00", "xn--x", *PATHS[:6]])
        query = self._random.choice(SUBRESOURCES)
        method = self._random.choice(["GET", "PUT", "POST", "HEAD"])
        body = b"" if method in ("GET", "HEAD") else self._random.choice([*BROKEN_XML, *BROKEN_JSON])
        return Attempt("bucket", self._signed("s3", method, f"/{name}?{query}", [], body), True)

    def _presigned(self) -> Attempt:
        fields = {
            "X-Amz-Algorithm": self._random.choice([ALGORITHM, "AWS4", ""]),
            "X-Amz-Credential": self._random.choice(["a/b/c", "/" * 4, f"{self._credentials.access_key}/x/y/s3/z"]),
            "X-Amz-Date": self._random.choice([amz_date(time.time()), "x", ""]),
            "X-Amz-Expires": self._random.choice(["60", "-1", "9" * 50, "x", ""]),
            "X-Amz-SignedHeaders": self._random.choice(["host", ";;", "", "host;Ā"]),
            "X-Amz-Signature": self._random.choice(["0" * 64, "", "\x00", "é", "Ā"]),
            "X-Amz-Security-Token": self._random.choice(["", "AAAA", "%"]),
        }  # fmt: skip
        kept = self._random.sample(list(fields), self._random.randint(1, len(fields)))
        query = "&".join(f"{name}={quote(fields[name])}" for name in kept)
        return Attempt("presigned", f"GET /{BUCKET}/k?{query} HTTP/1.1\r\nhost: {self._host}\r\n\r\n".encode(), True)

    def _posted(self) -> Attempt:
        """A browser's form, mostly with a good signature over a policy that may be none."""
        names = ["acl", "tagging", "Content-Type", "x-amz-meta-a", "x-amz-storage-class", "success_action_redirect",
                 "success_action_status", "x-amz-checksum-crc32", "key", "", "x-amz-tagging", "Expires"]  # fmt: skip
        chosen = self._random.sample(names, 3)
        conditions: list[Any] = [["starts-with", f"${name}", ""] for name in (*names, *FORM_FIELDS)]
        document = {"expiration": "2999-01-01T00:00:00Z", "conditions": [*conditions, {"bucket": BUCKET}]}
        policies = [json.dumps(document).encode()] * 30
        policy = base64.b64encode(self._random.choice([*policies, *BROKEN_JSON])).decode()
        date = amz_date(time.time())
        scope = f"{date[:8]}/us-east-1/s3/aws4_request"
        key = signing_key(self._credentials.secret, date[:8], "us-east-1", "s3")
        signature = digest(key, policy.encode(), "sha256").hex()
        values = [ALGORITHM, f"{self._credentials.access_key}/{scope}", date, policy, signature]
        fields = {"key": self._random.choice(PATHS) or "k", **dict(zip(FORM_FIELDS, values, strict=True))}
        texts = [
            "",
            "a\r\nb: c",
            "\x00",
            "http://[",
            "<a>",
            "<Tagging><Tag/></Tagging>",
            "é" * 9,
            *map(str, VALUES[:9]),
        ]
        fields |= {name: self._random.choice(texts) for name in chosen}
        parts = [f'--B\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{fields[name]}\r\n' for name in fields]
        body = "".join(parts).encode("utf-8", "surrogatepass")
        body += b'--B\r\nContent-Disposition: form-data; name="file"; filename="' + self._random.choice(
            [b'a"', b'../../x"', b'"', b"x", b'\xff"']
        )
        body += b"\r\n\r\ndata\r\n--B--\r\n"
        content_type = self._random.choice(["multipart/form-data; boundary=B"] * 9 + ["multipart/form-data;boundary="])
        head = f"POST /{BUCKET} HTTP/1.1\r\nhost: {self._host}\r\ncontent-type: {content_type}\r\n"
        return Attempt("posted", f"{head}content-length: {len(body)}\r\n\r\n".encode() + body, True)

    def _stranger(self) -> Attempt:
        """Unsigned, as browsers and passers-by ask."""
        method = self._random.choice(["OPTIONS", "OPTIONS", "GET", "HEAD", "PUT", "DELETE"])
        query = self._random.choice(SUBRESOURCES)
        target = f"/{self._random.choice([BUCKET, 'none', '..', '%ff', ''])}/{self._random.choice(PATHS)}?{query}"
        asked = ["access-control-request-method: ", "access-control-request-headers: ", "origin: ", "range: "]
        values = ["", "PUT", "*", "\xff", "a," * 500, "https://[::1", "null"]
        lines = [name + self._random.choice(values) for name in self._random.sample(asked, 3)]
        head = "\r\n".join([f"{method} {target} HTTP/1.1", f"host: {self._host}", *lines, "content-length: 0", "", ""])
        return Attempt("stranger", head.encode("latin-1", "replace"), True)

    def _bad_signature(self) -> Attempt:
        data = self._call(b"{}")
        start = data.index(b"authorization: ") + len(b"authorization: ")
        end = data.index(b"\r\n", start)
        value = bytearray(data[start:end])
        for _ in range(self._random.randint(1, 8)):
            value[self._random.randrange(len(value))] = self._random.randrange(33, 127)
        return Attempt("bad signature", data[:start] + bytes(value) + data[end:], True)

    def _flipped(self) -> Attempt:
        """Bytes changed anywhere: what is owed then, nobody can say."""
        data = bytearray(self._random.choice([self._wrong_types, self._object, self._form])().data)
        for _ in range(self._random.randint(1, 10)):
            data[self._random.randrange(len(data))] = self._random.randrange(256)
        return Attempt("flipped", bytes(data), False)

    def _cut_off(self) -> Attempt:
        data = self._random.choice([self._bad_json, self._object, self._form])().data
        return Attempt("cut off", data[: self._random.randrange(len(data))], False)

    def _signed(self, service: str, method: str, target: str, headers: list[tuple[str, str]], body: bytes) -> bytes:
        # Not by botocore, whose requests cannot be as wrong as these.
        now = amz_date(time.time())
        payload = UNSIGNED_PAYLOAD if self._random.random() < 0.3 else sha256(body).hexdigest()
        sent = [
            ("host", self._host), ("x-amz-date", now), ("x-amz-content-sha256", payload),
            ("content-length", str(len(body))), *headers,
        ]  # fmt: skip
        names = tuple(sorted({name for name, _ in sent}))
        path, _, query = target.partition("?")
        canonical = canonical_request(
            method, canonical_path(path, service), canonical_pairs(query), Headers(sent), names, payload
        )
        scope = f"{now[:8]}/us-east-1/{service}/aws4_request"
        text = f"{ALGORITHM}\n{now}\n{scope}\n{sha256(canonical.encode('latin-1')).hexdigest()}"
        key = signing_key(self._credentials.secret, now[:8], "us-east-1", service)
        signature = digest(key, text.encode(), "sha256").hex()
        credential = f"{self._credentials.access_key}/{scope}"
        sent.append(
            (
                "authorization",
                f"{ALGORITHM} Credential={credential}, SignedHeaders={';'.join(names)}, Signature={signature}",
            )
        )
        lines = "".join(f"{name}: {value}\r\n" for name, value in sent)
        return f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode("latin-1") + body
