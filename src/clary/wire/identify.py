"""Which operation of which service a request asks for. One port serves them all.

    X-Amz-Target: SageMaker.CreateTrainingJob ─▶ json       the prefix names the service
    POST /  Action=…&Version=…                ─▶ query      the version names it, else the signing name
    POST /endpoints/{EndpointName}/invocations ─▶ rest-json  signed as `sagemaker`, or unsigned
    /v2/…, unsigned                           ─▶ oci        container registries; no bucket has a name of two letters
    all else                                  ─▶ rest-xml   S3, by path or by virtual host

What is signed for a service that is not served is told apart before (unserved.py), and never taken for S3's.

The signing name comes from the credential scope; it is None where nothing is signed. Only a query request
needs its body to be told apart (`has_form`), so a gateway can leave every other body unread.
"""

import re
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import parse_qsl

from botocore.model import OperationModel, OperationNotFoundError

from clary.wire.canonical import headers_in_query, signed_parameters
from clary.wire.compression import inflated
from clary.wire.errors import ServiceError
from clary.wire.http import Headers, Request
from clary.wire.models import DISTRIBUTION, TARGET_PREFIXES, Protocol, service_model, streams_input
from clary.wire.routes import RouteTable, decode_query
from clary.wire.unserved import FORM, is_unserved, protocol_spoken

QUERY_SERVICES = ("sts", "iam", "cloudwatch", "sns")
REST_JSON_SERVICES = ("sagemaker-runtime", "sagemaker-metrics")
QUERY_SIGNING_NAMES = {"sts": "sts", "iam": "iam", "monitoring": "cloudwatch", "sns": "sns"}
VISITED = {"ConfirmSubscription": "sns", "Unsubscribe": "sns"}
"""Operations that are links in messages too, which whoever gets them visits as they stand: what they name, only the
recipient knows. By action, the service."""

S3_HOST = re.compile(
    r"(?P<bucket>.+?)\."
    r"(?:s3(?:-accelerate)?(?:[.-](?:dualstack\.|fips\.)*[a-z]{2,}(?:-[a-z]+)+-\d)?\.amazonaws\.com(?:\.cn)?"
    r"|s3\.localhost|localhost)"
    r"(?::\d+)?"
)
"""Hosts that name a bucket before the service's own name."""

S3_OWN_HOST = re.compile(r"s3[.-].*")
"""Hosts that only look so: `s3.us-east-1.amazonaws.com`, `s3.localhost`."""


@dataclass(frozen=True, slots=True)
class Identified:
    """What a request asks for, and what finding that out has already read of it."""

    service: str
    """botocore's name of it: `sagemaker-runtime`."""
    operation: OperationModel
    protocol: Protocol
    labels: dict[str, str] = field(default_factory=dict)
    """REST: the path's labels, percent-decoded (`Bucket`, `Key`)."""
    query: dict[str, str] = field(default_factory=dict)
    """REST: the query's parameters, decoded."""
    headers: Headers = field(default_factory=Headers)
    """REST: the headers, and those that a presigned URL carries in its query."""

    @property
    def streams_body(self) -> bool:
        """Whether the body is to be handed on unread."""
        return streams_input(self.operation)


def has_form(request: Request) -> bool:
    """Whether the body must be read before the request can be identified."""
    return (
        request.method == "POST"
        and request.target == "/"
        and request.headers.get("content-type").partition(";")[0].strip().lower() == FORM
    )


def may_be_anonymous(found: Identified, request: Request) -> bool:
    """Whether an unsigned request goes on: to S3, which refuses it unless a bucket's owner opened it to everybody, or
    to what is visited by links.

    Only what has no document for a body: nothing of a stranger's is parsed.
    """
    if VISITED.get(found.operation.name) == found.service:
        return request.method == "GET"
    return found.service == "s3" and (request.method in ("GET", "HEAD", "DELETE") or found.streams_body)


def protocol_of(request: Request, signing_name: str | None) -> Protocol:
    """The protocol that a request speaks, and in which whatever is wrong with it is to be answered."""
    if is_unserved(request, signing_name) or "smithy-protocol" in request.headers:
        return protocol_spoken(request, signing_name)
    if "x-amz-target" in request.headers:
        return "json"
    if signing_name is None and _asks_registry(request):
        return "oci"
    if signing_name in QUERY_SIGNING_NAMES or (signing_name is None and _asks_query(request)):
        return "query"
    if signing_name == "sagemaker" or (signing_name is None and _runtime_path(request)):
        return "rest-json"
    return "rest-xml"


def identify(request: Request, signing_name: str | None, form: bytes = b"") -> Identified:
    """The operation that is asked for, of a service that is served. `form` is the body where `has_form(request)`.

    Raises `ServiceError` as AWS does where there is no such operation; it is to be answered in `protocol_of`.
    """
    protocol = protocol_of(request, signing_name)
    if protocol == "smithy-rpc-v2-cbor":
        spoken = request.headers.get("smithy-protocol")
        raise ServiceError("UnknownOperationException", f"{spoken} is not spoken here; json and query are", 404)
    if protocol == "json":
        return _identify_json(request.headers.get("x-amz-target"))
    if protocol == "query":
        return _identify_query(request, signing_name, form)
    if protocol == "rest-json":
        return _identify_rest_json(request)
    if protocol == "oci":
        return _identify_distribution(request)
    return _identify_s3(request)


def _asks_query(request: Request) -> bool:
    return request.path == "/" and (has_form(request) or "Action=" in request.query)


def _asks_registry(request: Request) -> bool:
    if request.path != "/v2" and not request.path.startswith("/v2/"):
        return False
    return s3_path(request.headers, request.path) == request.path


def _runtime_path(request: Request) -> bool:
    return request.method == "POST" and request.path.startswith("/endpoints/") and "invocations" in request.path


@cache
def _query_versions() -> dict[str, str]:
    return {service_model(name).api_version: name for name in QUERY_SERVICES}


@cache
def _routes(service: str) -> RouteTable:
    return RouteTable(service_model(service))


def _identify_json(target: str) -> Identified:
    prefix, _, name = target.partition(".")
    service = TARGET_PREFIXES.get(prefix)
    operation = _operation(service, name) if service else None
    if service is None or operation is None:
        raise ServiceError("UnknownOperationException", f"Unknown operation {target!r}", 400)
    return Identified(service, operation, "json")


def _identify_query(request: Request, signing_name: str | None, form: bytes) -> Identified:
    query = decode_query(request.query)
    text = inflated(request.headers, form).decode("utf-8", "replace")
    # Only these two are wanted here; the rest of the form is read by the parser.
    named = dict(pair for pair in parse_qsl(text, keep_blank_values=True) if pair[0] in ("Action", "Version"))
    action = named.get("Action") or query.get("Action")
    version = named.get("Version") or query.get("Version") or ""
    if not action:
        raise ServiceError("MissingAction", "The request is missing an action or a required parameter.", 400)
    service = _query_versions().get(version) or QUERY_SIGNING_NAMES.get(signing_name or "") or VISITED.get(action)
    operation = _operation(service, action) if service else None
    if service is None or operation is None:
        raise ServiceError(
            "InvalidAction",
            f"Could not find operation {action} for version {version or 'NO_VERSION_SPECIFIED'}",
            400,
        )
    return Identified(service, operation, "query", query=query)


def _identify_rest_json(request: Request) -> Identified:
    query = decode_query(request.query)
    for service in REST_JSON_SERVICES:
        found = _routes(service).find(request.method, request.path, query, request.headers)
        if found:
            name, labels = found
            operation = service_model(service).operation_model(name)
            return Identified(service, operation, "rest-json", labels, query, request.headers)
    raise ServiceError("UnknownOperationException", f"No operation at {request.method} {request.path}", 404)


def _identify_distribution(request: Request) -> Identified:
    query = decode_query(request.query)
    path = "/v2/" if request.path == "/v2" else request.path
    found = _routes(DISTRIBUTION).find(request.method, path, query, request.headers)
    if found is None:
        raise ServiceError("UNSUPPORTED", f"No operation of a registry is at {request.method} {request.path}", 404)
    name, labels = found
    operation = service_model(DISTRIBUTION).operation_model(name)
    # Clients name each media type that they accept in a header of its own.
    accepted = ", ".join(request.headers.all("accept"))
    return Identified(DISTRIBUTION, operation, "oci", labels, query, Headers([("accept", accepted), *request.headers]))


def _identify_s3(request: Request) -> Identified:
    query = decode_query(request.query)
    path = s3_path(request.headers, request.path)
    headers = _with_signed_query(request.headers, query, request.query)
    found = _routes("s3").find(request.method, path, query, headers)
    if found is None:
        raise _unroutable(request.method, path)
    name, labels = found
    if name == "PutObject":
        _check_no_half_a_part(query)
    return Identified("s3", service_model("s3").operation_model(name), "rest-xml", labels, query, headers)


def _with_signed_query(headers: Headers, query: dict[str, str], text: str) -> Headers:
    """The headers, and those that were signed into a presigned URL: whoever uses it need not send them.

    `text` is the query as it was sent: version 2 signs no more of it than `headers_in_query`.
    """
    if "X-Amz-Signature" in query:
        # As headers would have brought them.
        found = [(name, value.encode().decode("latin-1")) for name, value in query.items()]
    elif "AWSAccessKeyId" in query:
        found = list(headers_in_query(signed_parameters(text)).items())
    else:
        return headers
    carried = [(name, value) for name, value in found if name.lower().startswith("x-amz-") and name not in headers]
    return Headers([*headers, *carried])


def _check_no_half_a_part(query: dict[str, str]) -> None:
    """A part that lacks its number or its upload must not be stored as a whole object."""
    for given, lacking in (("partNumber", "uploadId"), ("uploadId", "partNumber")):
        if given in query:
            message = f"This operation does not accept {given} without {lacking}"
            raise ServiceError("InvalidArgument", message, 400, ArgumentName=given, ArgumentValue=query[given])


def _unroutable(method: str, path: str) -> ServiceError:
    bucket, _, key = path.strip("/").partition("/")
    kind = "OBJECT" if key else "BUCKET" if bucket else "SERVICE"
    if (method, kind) == ("POST", "BUCKET"):
        message = "At least one of the pre-conditions you specified did not hold"
        condition = "Bucket POST must be of the enclosure-type multipart/form-data"
        return ServiceError("PreconditionFailed", message, 412, Condition=condition)
    message = "The specified method is not allowed against this resource."
    return ServiceError("MethodNotAllowed", message, 405, Method=method, ResourceType=kind)


def s3_path(headers: Headers, path: str) -> str:
    """The path with the bucket in it, whichever way the request names it; still percent-encoded."""
    host = headers.get("host").lower()
    match = S3_HOST.fullmatch(host)
    if match is None or S3_OWN_HOST.fullmatch(host):
        return path
    return f"/{match['bucket']}{path}"


def _operation(service: str, name: str) -> OperationModel | None:
    try:
        return service_model(service).operation_model(name)
    except OperationNotFoundError:
        return None
