"""Actions: what was done, such as an approval or a deployment."""

from clary.records.record import Kind
from clary.services.sagemaker.lineage.entities import SOURCE_URI, amend, prepare, unassociated
from clary.services.sagemaker.resources.declaration import Resource
from clary.services.sagemaker.resources.listing import equal_member
from clary.services.sagemaker.resources.operations import serve

ACTIONS = Resource(
    base="Action",
    kind=Kind("action"),
    missing="Action '{name}' does not exist.",
    exists="Action {arn} already exists. Names are unique within an AWS account and region.",
    prepare=prepare,
    amend=amend,
    guard=unassociated,
    from_inclusive=True,
    filters={SOURCE_URI: equal_member(SOURCE_URI), "ActionType": equal_member("ActionType")},
)
serve(ACTIONS, "Create", "Describe", "List", "Update", "Delete")
