"""What actions, artifacts and contexts have in common."""

from typing import Any

from clary.control.call import Call
from clary.records.record import Record
from clary.records.search.expression import AnyOf, Equal
from clary.services.sagemaker.errors import invalid
from clary.services.sagemaker.lineage.edges import ASSOCIATIONS
from clary.services.sagemaker.resources.declaration import Document
from clary.services.sagemaker.search.listing import find_first

SOURCE_URI = "SourceUri"


def prepare(_call: Call, request: dict[str, Any]) -> Document:
    """The source's URI is kept where listings find it, too."""
    return {**request, SOURCE_URI: request["Source"][SOURCE_URI]}


def amend(document: Document, request: dict[str, Any]) -> Document:
    """Properties are put beside those that there are."""
    gone = request.get("PropertiesToRemove", [])
    properties = {**document.get("Properties", {}), **request.get("Properties", {})}
    changes = {member: value for member, value in request.items() if member != "PropertiesToRemove"}
    kept = {name: value for name, value in properties.items() if name not in gone}
    return {**document, **changes, "Properties": kept}


def unassociated(call: Call, entity: Record) -> None:
    """The guard of all: an association of what is gone would lead nowhere."""
    either = AnyOf((Equal("SourceArn", (entity.arn,)), Equal("DestinationArn", (entity.arn,))))
    if find_first(call, ASSOCIATIONS, either):
        raise invalid(f"{entity.arn} cannot be deleted: it has associations. Delete those first.")
