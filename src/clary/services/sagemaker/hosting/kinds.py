"""The endpoint's states and the roads between them."""

from clary.records.record import Kind, State

CREATING = State("Creating")
IN_SERVICE = State("InService")
UPDATING = State("Updating")
DELETING = State("Deleting")
FAILED = State("Failed")

ENDPOINT = Kind(
    name="endpoint",
    transitions={
        CREATING: frozenset({IN_SERVICE, FAILED, DELETING}),
        IN_SERVICE: frozenset({UPDATING, DELETING}),
        UPDATING: frozenset({IN_SERVICE, DELETING}),
        FAILED: frozenset({DELETING}),
    },
    live=frozenset({"Creating", "InService", "Updating", "Deleting"}),
)
