"""Contexts: what others belong to, such as an endpoint or a group of models."""

from clary.records.record import Kind
from clary.services.sagemaker.lineage.entities import SOURCE_URI, amend, prepare, unassociated
from clary.services.sagemaker.resources.declaration import Resource
from clary.services.sagemaker.resources.listing import equal_member
from clary.services.sagemaker.resources.operations import serve

CONTEXTS = Resource(
    base="Context",
    kind=Kind("context"),
    missing="Context '{name}' does not exist.",
    exists="Context {arn} already exists. Names are unique within an AWS account and region.",
    prepare=prepare,
    amend=amend,
    guard=unassociated,
    from_inclusive=True,
    filters={SOURCE_URI: equal_member(SOURCE_URI), "ContextType": equal_member("ContextType")},
)
serve(CONTEXTS, "Create", "Describe", "List", "Update", "Delete")
