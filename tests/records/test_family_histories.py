"""Parents, children and timers under any sequence of uses, against a model of what is kept and who is told."""

from collections import Counter
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from clary.database import open_database
from clary.records.errors import HasChildren, IllegalTransition, NotFound
from clary.records.record import NEVER, Record, State
from clary.records.store import Records
from tests.records.kinds import ASLEEP, AWAKE, CAT, GONE, HOME

STATES = st.sampled_from([ASLEEP, AWAKE, GONE])
TIMES = st.one_of(st.none(), st.just(NEVER), st.floats(0, 100))


class FamilyMachine(RuleBasedStateMachine):
    """Cats have kittens, which are cats."""

    cats: Bundle[str] = Bundle("cats")

    def __init__(self) -> None:
        super().__init__()
        self._directory = TemporaryDirectory()
        self._engine = open_database(f"sqlite:///{Path(self._directory.name) / 'clary.db'}")
        self._records = Records(self._engine)
        self._records.on_wake(lambda _kind, record_id, at: self._told.append((record_id, at)))
        self._told: list[tuple[str, float | None]] = []
        self._wanted: list[tuple[str, float | None]] = []
        self._model: dict[str, Record] = {}
        self._names = count()

    @rule(target=cats, mother=st.one_of(st.none(), cats), state=STATES, wake_at=TIMES)
    def create(self, mother: str | None, state: State, wake_at: float | None) -> str:
        name = str(next(self._names))
        asked: dict[str, Any] = {"parent": mother, "wake_at": wake_at}
        if mother is not None and mother not in self._model:
            with pytest.raises(NotFound):
                self._records.create(CAT, HOME, name, name, {}, state, **asked)
            return mother
        made = self._records.create(CAT, HOME, name, name, {}, state, **asked)
        self._model[made.id] = made
        self._expect_timer(made.id, wake_at)
        return made.id

    @rule(cat=cats, state=STATES, wake_at=TIMES)
    def transition(self, cat: str, state: State, wake_at: float | None) -> None:
        record = self._model.get(cat)
        if record is None:
            return
        if state not in CAT.transitions.get(record.state, frozenset()):
            with pytest.raises(IllegalTransition):
                self._records.transition(record, state, wake_at=wake_at)
            return
        self._model[cat] = self._records.transition(record, state, wake_at=wake_at)
        self._expect_timer(cat, wake_at)
        self._expect_parent(record)

    @rule(cat=cats, wake_at=TIMES)
    def update(self, cat: str, wake_at: float | None) -> None:
        if cat in self._model:
            self._model[cat] = self._records.update(self._model[cat], {"Mood": 1}, wake_at=wake_at)
            self._expect_timer(cat, wake_at)

    @rule(cat=cats)
    def delete(self, cat: str) -> None:
        record = self._model.get(cat)
        if record is None:
            return
        kittens = [kitten for kitten in self._model.values() if kitten.parent == cat]
        if any(kitten.state.status in CAT.live for kitten in kittens):
            with pytest.raises(HasChildren):
                self._records.delete(record)
            return
        self._records.delete(record)
        del self._model[cat]
        for kitten in kittens:
            self._model[kitten.id] = self._records.load(kitten.id)
            assert self._model[kitten.id].parent is None
        self._expect_parent(record)

    @rule(time=st.floats(0, 100))
    def ring(self, time: float) -> None:
        """Every timer that is due goes off, and is settled as the supervisor does it."""
        due = sorted((r.wake_at, r.id) for r in self._model.values() if r.wake_at is not None and r.wake_at <= time)
        assert [(timer.wake_at, timer.id) for timer in self._records.agenda.due(time, None, 1000)] == due
        for wake_at, cat in due:
            self._records.agenda.settle(cat, wake_at)
            self._model[cat] = self._records.load(cat)
            assert self._model[cat].wake_at is None

    @invariant()
    def what_is_kept_and_told_is_what_was_done(self) -> None:
        assert self._told == self._wanted
        for cat, record in self._model.items():
            assert self._records.load(cat) == record
            kittens = [kitten for kitten in self._model.values() if kitten.parent == cat]
            counted = Counter(kitten.state.status for kitten in kittens)
            assert self._records.count_children(record, CAT) == counted
            assert [kitten.id for kitten in self._records.children(record, CAT)] == [kitten.id for kitten in kittens]
        live = {cat for cat, record in self._model.items() if record.state.status in CAT.live}
        assert set(self._records.agenda.live_ids(CAT, None, 1000).ids) == live

    def _expect_timer(self, cat: str, wake_at: float | None) -> None:
        if wake_at is not None:
            self._wanted.append((cat, wake_at))

    def _expect_parent(self, record: Record) -> None:
        if record.parent in self._model and record.parent is not None:
            self._wanted.append((record.parent, None))

    def teardown(self) -> None:
        self._engine.dispose()
        self._directory.cleanup()


TestFamily = FamilyMachine.TestCase
TestFamily.settings = settings(max_examples=20, stateful_step_count=20, deadline=None)
