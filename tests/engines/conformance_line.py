"""What every engine does with instances for which it has no room yet. A test class of an engine inherits `LineTestCase`
and gives the fixture `reopen_small`: it makes an engine over the same state that has room for four vCPUs and does not
oversubscribe."""

import os
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

from clary.engines.base import Engine
from clary.instance.spec import InstanceSpec, InstanceStatus
from tests.engines.instances import Watch, program, texts

ROOM = 4
WAITS = "print('ready')\ntime.sleep(600)\n"


def short(**fields: Any) -> InstanceSpec:
    spec = program("", interpreter="", **fields)
    spec.command = ["/bin/echo", "ran"]
    return spec


def fill(engine: Engine, watch: Watch, count: int = ROOM) -> list[InstanceSpec]:
    specs = [program(WAITS, grace=0.1) for _ in range(count)]
    for spec in specs:
        engine.start([spec])
    for spec in specs:
        watch.printed(spec, "ready")
    return specs


def most_at_once(statuses: list[InstanceStatus]) -> int:
    changes = sorted(
        change for status in statuses for change in ((status.entered["Starting"], 1), (status.entered["Done"], -1))
    )
    running = most = 0
    for _, change in changes:
        running += change
        most = max(most, running)
    return most


class LineTestCase:
    @pytest.fixture
    def reopen_small(self) -> Callable[[], Engine]:
        raise NotImplementedError

    @pytest.fixture
    def small(self, reopen_small: Callable[[], Engine]) -> Engine:
        return reopen_small()

    @pytest.fixture
    def watch_small(self, small: Engine) -> Watch:
        return Watch(small)

    def test_who_does_not_fit_waits_until_room_comes(self, small: Engine, watch_small: Watch) -> None:
        full = fill(small, watch_small)
        late = short()
        before = time.time()
        small.start([late])
        status = small.poll(late.id)
        assert status.phase == "Pending"
        assert before <= status.entered["Pending"] <= time.time()
        assert late.id in small.instances()
        assert list(small.logs(late.id, 0)[0]) == []
        small.release(full[0].id)
        status = watch_small.done(late)
        assert status.outcome == "Completed"
        assert list(status.entered)[:2] == ["Pending", "Starting"]
        assert "Pending" not in small.poll(full[1].id).entered
        for spec in full[1:]:
            small.release(spec.id)

    def test_places_tell_what_is_taken(self, small: Engine, watch_small: Watch) -> None:
        full = fill(small, watch_small, 3)
        assert sum(place.total.vcpus for place in small.places()) == ROOM
        assert sum(place.taken.vcpus for place in small.places()) == 3
        for spec in full:
            small.release(spec.id)
        watch_small.until(lambda: sum(place.taken.vcpus for place in small.places()) == 0)

    def test_200_jobs_with_room_for_four(self, small: Engine, watch_small: Watch) -> None:
        """None is lost, none runs twice, never are there more than four, and they come in their order."""
        specs = [short() for _ in range(200)]
        for spec in specs:
            small.start([spec])
        watch_small.until(lambda: small.poll(specs[-1].id).phase == "Done", 240)
        statuses = [watch_small.done(spec) for spec in specs]
        assert {status.outcome for status in statuses} == {"Completed"}
        assert most_at_once(statuses) <= ROOM
        assert all(texts(small, spec).count("ran") == 1 for spec in specs)
        # Those that are let in together race for who says so first; one that is slow sees some come and go.
        starts, near = [status.entered["Starting"] for status in statuses], 4 * ROOM
        assert all(max(starts[: index + 1]) < min(starts[index + near :]) for index in range(len(starts) - near))

    def test_the_large_is_not_starved_by_the_small(self, small: Engine, watch_small: Watch) -> None:
        ahead = fill(small, watch_small, 3)
        gang = [short(hostname=f"algo-{number}") for number in range(1, ROOM + 1)]
        behind = [short() for _ in range(3)]
        small.start(gang)
        for spec in behind:
            small.start([spec])
        # There is room for one all the while.
        assert {small.poll(spec.id).phase for spec in (*gang, *behind)} == {"Pending"}
        small.release(ahead[0].id)
        small.release(ahead[1].id)
        assert {small.poll(spec.id).phase for spec in (*gang, *behind)} == {"Pending"}
        small.release(ahead[2].id)
        starts = [watch_small.done(spec).entered["Starting"] for spec in gang]
        assert max(starts) < min(watch_small.done(spec).entered["Starting"] for spec in behind)

    def test_a_gang_that_can_never_fit_is_refused(self, small: Engine, watch_small: Watch) -> None:
        full = fill(small, watch_small)
        gang = [short() for _ in range(ROOM + 1)]
        small.start(gang)
        for spec in gang:
            status = small.poll(spec.id)
            assert (status.phase, status.outcome) == ("Done", "Failed")
            assert status.reason.startswith("CapacityError: Unable to provision requested ML compute capacity.")
            small.release(spec.id)
            assert spec.id not in small.instances()
        for spec in full:
            small.release(spec.id)

    def test_who_waits_can_be_stopped_and_released(self, small: Engine, watch_small: Watch) -> None:
        full = fill(small, watch_small)
        stopped, released, last = [short(), short()], short(), short()
        for gang in (stopped, [released], [last]):
            small.start(gang)
        small.stop(stopped[0].id)
        small.release(released.id)
        for spec in stopped:
            status = small.poll(spec.id)
            assert (status.phase, status.outcome) == ("Done", "Stopped")
        with pytest.raises(KeyError):
            small.poll(released.id)
        for spec in full:
            small.release(spec.id)
        assert watch_small.done(last).outcome == "Completed"
        for spec in stopped:
            assert texts(small, spec) == []
            small.release(spec.id)
        with pytest.raises(KeyError):
            small.poll(stopped[0].id)

    def test_start_of_who_waits_is_idempotent(self, small: Engine, watch_small: Watch) -> None:
        full = fill(small, watch_small)
        first, second = short(), short()
        for spec in (first, second, first):
            small.start([spec])
        small.release(full[0].id)
        assert watch_small.done(first).entered["Starting"] < watch_small.done(second).entered["Starting"]
        assert texts(small, first).count("ran") == 1
        for spec in full[1:]:
            small.release(spec.id)

    def test_the_line_outlives_its_engine(self, reopen_small: Callable[[], Engine]) -> None:
        """`kill -9` of who holds it, amid jobs that come and go."""
        running = [program(WAITS, grace=0.1) for _ in range(ROOM - 1)]
        waiting = [short() for _ in range(20)]
        pid = os.fork()
        if pid == 0:
            try:
                self._die_amid(reopen_small(), [*running, *waiting], waiting[5])
            finally:
                os._exit(1)
        assert os.WIFSIGNALED(os.waitpid(pid, 0)[1])
        later = reopen_small()
        watch = Watch(later)
        # With no word of the platform's but that it listens.
        statuses = [watch.done(spec) for spec in waiting]
        assert {status.outcome for status in statuses} == {"Completed"}
        starts = [status.entered["Starting"] for status in statuses]
        assert starts == sorted(starts)
        assert most_at_once(statuses) == 1
        assert all(texts(later, spec).count("ran") == 1 for spec in waiting)
        for spec in (*running, *waiting):
            later.release(spec.id)
        assert list(later.instances()) == []

    def _die_amid(self, engine: Engine, specs: list[InstanceSpec], last: InstanceSpec) -> None:
        for spec in specs:
            engine.start([spec])
        Watch(engine).done(last)
        os.kill(os.getpid(), signal.SIGKILL)
