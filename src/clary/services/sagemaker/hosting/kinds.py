"""Models and endpoint configurations have no states; an endpoint's are here."""

from clary.records.record import Kind, State

MODEL = Kind("model")
ENDPOINT_CONFIG = Kind("endpoint-config")
EXISTS = State("")
"""The only state of what is made at once."""

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
