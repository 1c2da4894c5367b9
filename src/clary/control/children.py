"""What the reconciler of a parent does with its children; what becomes of them is told in `records/family.py`.

StopX ─▶ gate: Stopping ─▶ wake ─▶ step: stop_children ─▶ Stop of each ─▶ each child's end wakes the parent
                                     └─ none is live ─▶ gate: Stopped
"""

from collections.abc import Callable, Iterable

from clary.records.errors import IllegalTransition, NotFound, Stale
from clary.records.record import Kind, Record
from clary.records.store import Records


def stop_children(
    records: Records, parent: Record, kind: Kind, statuses: Iterable[str], stop: Callable[[Record], None]
) -> int:
    """Ask each child of these statuses to stop; returns how many children are live still.

    `stop` is what a user's Stop of one does: a passage of the gate and a wake. A child that moved on meanwhile is left
    to the parent's next step, for which its passage is the wake.
    """
    for child in records.children(parent, kind, *statuses):
        try:
            stop(child)
        except (IllegalTransition, NotFound, Stale):
            continue
    return live_children(records, parent, kind)


def live_children(records: Records, parent: Record, kind: Kind) -> int:
    counts = records.count_children(parent, kind)
    return sum(counts.get(status, 0) for status in kind.live)
