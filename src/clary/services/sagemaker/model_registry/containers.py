"""From a container that names a model package to those that are deployed."""

from typing import Any

from clary.control.call import Call
from clary.records.record import Record
from clary.services.sagemaker.errors import invalid
from clary.services.sagemaker.model_registry.packages import GROUP, MODEL_PACKAGES
from clary.services.sagemaker.resources.handling import find

PACKAGE = "ModelPackageName"
TAKEN = ("Image", "ModelDataUrl", "ModelDataSource", "ContainerHostname")


def from_package(call: Call, container: dict[str, Any]) -> list[dict[str, Any]]:
    """The containers of the package, where it names one; what the container says itself counts for each of them.

    Raises `ValidationException` for a package that is not there, not approved, or without the specification asked for.
    """
    if PACKAGE not in container:
        return [container]
    package = find(call, MODEL_PACKAGES, container[PACKAGE])
    if GROUP in package.document and package.document["ModelApprovalStatus"] != "Approved":
        status = package.document["ModelApprovalStatus"]
        raise invalid(f"The model package {package.arn} cannot be deployed: its approval status is {status}.")
    return [
        {
            **{member: packed[member] for member in TAKEN if member in packed},
            **container,
            "Environment": {**packed.get("Environment", {}), **container.get("Environment", {})},
        }
        for packed in _specification(package, container.get("InferenceSpecificationName"))["Containers"]
    ]


def _specification(package: Record, name: str | None) -> dict[str, Any]:
    specifications = {each["Name"]: each for each in package.document.get("AdditionalInferenceSpecifications", [])}
    found: dict[str, Any] | None = specifications.get(name) if name else package.document.get("InferenceSpecification")
    if found is None:
        what = f"inference specification {name}" if name else "inference specification"
        raise invalid(f"The model package {package.arn} has no {what}.")
    return found
