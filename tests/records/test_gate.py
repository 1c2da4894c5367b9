"""The gate under any sequence of uses, against a model of what it must allow."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from clary.database import open_database
from clary.records.errors import AlreadyExists, IllegalTransition, Stale
from clary.records.record import Record, State
from clary.records.store import Records
from tests.records.kinds import ASLEEP, AWAKE, CAT, GONE, HOME, add

STATES = st.sampled_from([ASLEEP, AWAKE, GONE])


class GateMachine(RuleBasedStateMachine):
    """Many hold copies of one record, most of them out of date, and try everything with them."""

    copies: Bundle[Record] = Bundle("copies")

    def __init__(self) -> None:
        super().__init__()
        self._directory = TemporaryDirectory()
        self._engine = open_database(f"sqlite:///{Path(self._directory.name) / 'clary.db'}")
        self._records = Records(self._engine)
        self._current: Record | None = None
        self._passed: list[State] = []

    @rule(target=copies, state=STATES)
    def create(self, state: State) -> Record:
        if self._current is not None:
            with pytest.raises(AlreadyExists):
                add(self._records, "tom", state=state)
            return self._current
        self._current = add(self._records, "tom", state=state)
        self._passed = [state]
        return self._current

    @rule(target=copies, copy=copies, state=STATES, mood=st.integers(0, 9))
    def transition(self, copy: Record, state: State, mood: int) -> Record:
        if state not in CAT.transitions.get(copy.state, frozenset()):
            with pytest.raises(IllegalTransition):
                self._records.transition(copy, state, document={"Mood": mood})
            return copy
        if copy != self._current:
            with pytest.raises(Stale):
                self._records.transition(copy, state, document={"Mood": mood})
            return copy
        self._current = self._records.transition(copy, state, document={"Mood": mood})
        self._passed.append(state)
        return self._current

    @rule(target=copies, copy=copies, mood=st.integers(0, 9))
    def update(self, copy: Record, mood: int) -> Record:
        if copy != self._current:
            with pytest.raises(Stale):
                self._records.update(copy, {"Mood": mood})
            return copy
        self._current = self._records.update(copy, {"Mood": mood})
        return self._current

    @rule(copy=consumes(copies))
    def delete(self, copy: Record) -> None:
        if copy != self._current:
            with pytest.raises(Stale):
                self._records.delete(copy)
            return
        self._records.delete(copy)
        self._current = None

    @invariant()
    def what_is_kept_is_what_was_allowed(self) -> None:
        assert self._records.find(CAT, HOME, "tom") == self._current
        if self._current is not None:
            assert [event.state for event in self._records.events(self._current)] == self._passed

    def teardown(self) -> None:
        self._engine.dispose()
        self._directory.cleanup()


TestGate = GateMachine.TestCase
TestGate.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
