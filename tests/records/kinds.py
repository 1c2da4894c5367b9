"""A kind of resource to test with: Asleep → Awake → Gone, and back to sleep."""

from clary.records.record import Kind, Record, Scope, State
from clary.records.store import Records

ASLEEP = State("Resting", "Asleep")
AWAKE = State("Active", "Awake")
GONE = State("Gone")

CAT = Kind(
    "cat",
    {ASLEEP: frozenset({AWAKE}), AWAKE: frozenset({ASLEEP, GONE})},
    live=frozenset({"Resting", "Active"}),
)

HOME = Scope("123456789012", "us-east-1")
ABROAD = Scope("123456789012", "eu-west-1")


def add(records: Records, name: str, scope: Scope = HOME, state: State = ASLEEP) -> Record:
    return records.create(CAT, scope, name, f"arn:aws:zoo:{scope.region}:{scope.account}:cat/{name}", {}, state)
