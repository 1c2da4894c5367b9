"""The one gate through which a record's status passes.

Nothing else writes the columns `status` and `secondary` of a record that exists: the gate checks the road,
writes the status and its event in one transaction, and lets only the one pass who loaded the current version.
"""

from dataclasses import replace

from sqlalchemy import Connection

from clary.records.errors import IllegalTransition
from clary.records.record import KINDS, Event, Record, State
from clary.records.rows import now, write_guarded
from clary.records.tables import events


def enter(connection: Connection, record: Record, event: Event) -> None:
    """Write the event of a state that the record is in."""
    connection.execute(
        events.insert().values(
            record=record.id,
            at=event.at,
            status=event.state.status,
            secondary=event.state.secondary,
            message=event.message,
        )
    )


def pass_gate(connection: Connection, record: Record, event: Event, wake_at: float | None) -> Record:
    """Bring `record`, with whatever its document holds now, into the event's state.

    Raises `IllegalTransition` where the kind has no such road and `Stale` where another was quicker.
    """
    if event.state not in KINDS[record.kind].transitions.get(record.state, frozenset()):
        raise IllegalTransition(
            f"{record.kind} {record.name}: no road from {_read(record.state)} to {_read(event.state)}"
        )
    passed = replace(record, state=event.state, modified=now(), version=record.version + 1)
    passed = write_guarded(connection, passed, wake_at)
    enter(connection, passed, event)
    return passed


def _read(state: State) -> str:
    return f"{state.status}/{state.secondary}" if state.secondary else state.status
