"""The states of endpoints, and of the inference components on them, and the roads between these."""

from clary.records.record import Kind, Record, State

CREATING = State("Creating")
IN_SERVICE = State("InService")
UPDATING = State("Updating")
DELETING = State("Deleting")
FAILED = State("Failed")

ROADS = {
    CREATING: frozenset({IN_SERVICE, FAILED, DELETING}),
    IN_SERVICE: frozenset({UPDATING, DELETING}),
    UPDATING: frozenset({IN_SERVICE, DELETING}),
    FAILED: frozenset({DELETING}),
}
LIVE = frozenset({"Creating", "InService", "Updating", "Deleting"})
ENDPOINT = Kind("endpoint", ROADS, LIVE)
COMPONENT = Kind("inference-component", ROADS, LIVE)


def route_of(record: Record) -> str:
    """By which the router knows what serves of an endpoint or a component."""
    return (
        component_route(record.document["EndpointName"], record.name) if record.kind == COMPONENT.name else record.name
    )


def component_route(endpoint: str, component: str) -> str:
    """No endpoint has such a name."""
    return f"{endpoint}/{component}"
