"""The published service models, as botocore ships them: what the rest of this room is driven by.

    service_model("sagemaker") ──▶ botocore.model.ServiceModel ──▶ operation_model(…) ──▶ shapes

A model is read from its compressed file on first use and kept. Documentation strings, more than half of
every model, are dropped before they cost memory. `botocore.loaders` and `botocore.session` would do the
reading too, but importing them alone takes longer than reading every model that is served.
"""

import gzip
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

import botocore
import orjson
from botocore.model import OperationModel, ServiceModel, Shape, StructureShape

Protocol = Literal["json", "rest-json", "rest-xml", "query", "oci", "ec2", "smithy-rpc-v2-cbor"]
"""`oci` is that of container registries: REST with JSON, and errors of its own form. The last two are spoken in
refusals only."""

JSON_REST = ("rest-json", "oci")

SERVICES = (
    *("sagemaker", "sagemaker-runtime", "sagemaker-metrics", "s3", "sts", "iam", "logs", "cloudwatch", "ecr"),
    *("sqs", "sns", "application-autoscaling"),
)
"""botocore's names of the services that are served."""

DISTRIBUTION = "distribution"
"""What container registries speak, which is nobody's service in particular: its model is our own, after the operations
and headers of the OCI distribution specification 1.1."""

OPERATING = "clary"
"""What operators ask of a platform beyond what AWS has: its model is our own too."""

SIGNING_NAMES = frozenset(
    {"sagemaker", "s3", "sts", "iam", "logs", "monitoring", "ecr", "sqs", "sns", "application-autoscaling", OPERATING}
)
"""What their calls are signed for."""

TARGET_PREFIXES = {
    "SageMaker": "sagemaker",
    "Logs_20140328": "logs",
    "GraniteServiceVersion20100801": "cloudwatch",
    "AmazonEC2ContainerRegistry_V20150921": "ecr",
    "AmazonSQS": "sqs",
    "AnyScaleFrontendService": "application-autoscaling",
    "Clary": OPERATING,
}
"""What their JSON targets begin with."""


@cache
def service_model(name: str) -> ServiceModel:
    """The newest model of a service; `LookupError` where botocore has none by that name."""
    return ServiceModel(_description(name), name)


@cache
def _description(name: str) -> dict[str, Any]:
    if name in (DISTRIBUTION, OPERATING):
        own: dict[str, Any] = orjson.loads(Path(__file__).with_name(f"{name}.json").read_bytes())
        return own
    versions = sorted((Path(botocore.__file__).parent / "data" / name).glob("*/service-2.json.gz"))
    if not versions:
        raise LookupError(f"botocore publishes no service named {name!r}")
    description: dict[str, Any] = orjson.loads(gzip.decompress(versions[-1].read_bytes()))
    _drop_documentation(description)
    return description


def _drop_documentation(description: dict[str, Any]) -> None:
    for operation in description["operations"].values():
        operation.pop("documentation", None)
        for error in operation.get("errors", ()):
            error.pop("documentation", None)
    for shape in description["shapes"].values():
        shape.pop("documentation", None)
        for member in shape.get("members", {}).values():
            member.pop("documentation", None)


@cache
def _error_names(service: str) -> dict[str, str]:
    """Error code or shape name → shape name, without resolving every shape of the service."""
    names: dict[str, str] = {}
    for name, raw in _description(service)["shapes"].items():
        if raw.get("exception"):
            names[raw.get("error", {}).get("code", name)] = name
            names.setdefault(name, name)
    return names


def error_shape(service: str, code: str) -> StructureShape | None:
    """The modelled shape of an error, by its code on the wire or by its shape's name."""
    name = _error_names(service).get(code)
    return service_model(service).shape_for(name) if name else None


def error_status(service: str, code: str) -> int:
    """The HTTP status of an error where its model gives one, else that of its kind."""
    name = _error_names(service).get(code)
    raw = _description(service)["shapes"][name] if name else {}
    status: int = raw.get("error", {}).get("httpStatusCode", 500 if raw.get("fault") else 400)
    return status


def payload_member(shape: StructureShape | None) -> str | None:
    """The member that is the whole HTTP body of a REST message, where the shape names one."""
    if shape is None:
        return None
    name: str | None = shape.serialization.get("payload")
    return name


def streams_input(operation: OperationModel) -> bool:
    """Whether the request's body is handed to the handler as it arrives, unread."""
    name = payload_member(operation.input_shape)
    return name is not None and bool(operation.input_shape.members[name].serialization.get("streaming"))


Compiled = TypeVar("Compiled")


class ShapeCompiler(Generic[Compiled]):
    """One function for each shape of one service, made when first asked for and then kept.

    A subclass has a method for each shape type (`structure`, `list`, `string` …), which turns a shape into a
    function. A structure's method must ask for its members' functions only when its own is first called
    (`@cache`): shapes may contain themselves.
    """

    def __init__(self) -> None:
        self._compiled: dict[tuple[str, str], Compiled] = {}

    def __call__(self, shape: Shape) -> Compiled:
        # A shape object is made anew at each reference to it, with the traits of that reference.
        key = (shape.name, repr(shape.serialization))
        if key not in self._compiled:
            compile_shape: Callable[[Shape], Compiled] = getattr(self, shape.type_name)
            self._compiled[key] = compile_shape(shape)
        return self._compiled[key]
