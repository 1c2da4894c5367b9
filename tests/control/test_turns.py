"""Turns: kinds one after the other, records in the order in which they came, a worker for every kind."""

from clary.control.turns import Turns


def take(turns: Turns, most: int) -> list[str]:
    taken = []
    while len(taken) < most and (found := turns.take()):
        taken.append(f"{found[0]}{found[1]}")
    return taken


def line_up(turns: Turns, kind: str, count: int) -> None:
    for number in range(count):
        turns.join(kind, str(number))


def test_kinds_take_turns_and_records_wait_in_line() -> None:
    turns = Turns("abc", shared=9)
    line_up(turns, "a", 4)
    line_up(turns, "b", 2)
    assert take(turns, 9) == ["a0", "b0", "a1", "b1", "a2", "a3"]
    assert turns.take() is None


def test_a_kind_that_holds_all_shared_workers_leaves_the_others_their_own() -> None:
    turns = Turns("abc", shared=2)
    line_up(turns, "a", 10)
    assert take(turns, 10) == ["a0", "a1", "a2"]
    line_up(turns, "b", 2)
    assert take(turns, 10) == ["b0"]
    turns.done("b")
    assert take(turns, 10) == ["b1"]
    turns.done("a")
    line_up(turns, "c", 1)
    assert take(turns, 10) == ["c0", "a3"]
    assert turns.waiting("a") == 6


def test_every_worker_is_used_again() -> None:
    turns = Turns("ab", shared=2)
    for _ in range(5):
        line_up(turns, "a", 2)
        line_up(turns, "b", 2)
        assert len(take(turns, 9)) == 4
        for kind in "abab":
            turns.done(kind)
