"""AddAssociation, DeleteAssociation, ListAssociations."""

from typing import Any

from clary.control.call import Call
from clary.control.house import House
from clary.records.errors import AlreadyExists, NotFound
from clary.records.record import Record
from clary.records.search.expression import AllOf, Equal
from clary.services.sagemaker import operation
from clary.services.sagemaker.errors import invalid
from clary.services.sagemaker.experiments.components import TRIAL_COMPONENTS
from clary.services.sagemaker.lineage.actions import ACTIONS
from clary.services.sagemaker.lineage.artifacts import ARTIFACTS
from clary.services.sagemaker.lineage.contexts import CONTEXTS
from clary.services.sagemaker.lineage.edges import ASSOCIATIONS
from clary.services.sagemaker.resources.declaration import Resource
from clary.services.sagemaker.resources.handling import enrol, told
from clary.services.sagemaker.search.listing import list_found
from clary.wire.errors import ServiceError

ENTITIES: dict[str, Resource] = {each.kind.name: each for each in (ACTIONS, ARTIFACTS, CONTEXTS, TRIAL_COMPONENTS)}
"""By the name of their kind."""
FILTERS = ("SourceArn", "DestinationArn", "SourceType", "DestinationType", "AssociationType")


@operation("AddAssociation")
def add_association(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    source, destination = (find_entity(call, request[f"{end}Arn"]) for end in ("Source", "Destination"))
    if not associate(call.house, source, destination, request.get("AssociationType")):
        raise invalid(ASSOCIATIONS.exists.format(name=_name_of(request), arn=""))
    return _ends(request)


@operation("DeleteAssociation")
def delete_association(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    name = _name_of(request)
    found = call.house.records.find(ASSOCIATIONS.kind, call.scope, name)
    if found is None:
        raise ServiceError("ResourceNotFound", ASSOCIATIONS.missing.format(name=name, arn=""))
    call.house.records.delete(found)
    return _ends(request)


@operation("ListAssociations")
def list_associations(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    tests = tuple(Equal(member, (request[member],)) for member in FILTERS if member in request)
    return list_found(call, ASSOCIATIONS, request, AllOf(tests))


def associate(house: House, source: Record, destination: Record, kind: str | None) -> bool:
    """False where they are associated already."""
    document: dict[str, Any] = {"AssociationType": kind} if kind else {}
    for end, entity in (("Source", source), ("Destination", destination)):
        resource = ENTITIES[entity.kind]
        document[f"{end}Arn"] = entity.arn
        document[f"{end}Name"] = told(resource, entity)[f"{resource.base}Name"] or entity.name
        document[f"{end}Type"] = type_of(entity)
    name = _name_of(document)
    if house.records.find(ASSOCIATIONS.kind, source.scope, name) is not None:
        return False
    try:
        enrol(house, source.scope, ASSOCIATIONS, name, document, tags={})
    except AlreadyExists:
        return False
    return True


def find_entity(call: Call, arn: str) -> Record:
    """What may be associated. Raises `ResourceNotFound`."""
    try:
        record = call.house.records.by_arn(arn)
    except NotFound:
        record = None
    if record is None or record.scope != call.scope or record.kind not in ENTITIES:
        raise ServiceError("ResourceNotFound", f"There is no lineage entity {arn}.")
    return record


def type_of(entity: Record) -> str:
    """`DataSet`, `Approval`, `SageMakerTrainingJob`: what users say, or of a trial component its source."""
    said: str = entity.document.get(f"{ENTITIES[entity.kind].base}Type", "")
    return said or str(entity.document.get("Source", {}).get("SourceType", ""))


def _ends(request: dict[str, Any]) -> dict[str, Any]:
    return {"SourceArn": request["SourceArn"], "DestinationArn": request["DestinationArn"]}


def _name_of(request: dict[str, Any]) -> str:
    return f"{request['SourceArn']} -> {request['DestinationArn']}"
