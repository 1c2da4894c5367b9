"""What is kept in memory is never older than the last change that was told of."""

import threading

from clary.control.memo import Memo


def test_a_value_is_loaded_once_until_it_is_forgotten() -> None:
    memo: Memo[int] = Memo()
    loads = iter(range(10))
    assert memo.known("a") is None
    assert [memo.get("a", lambda: next(loads)) for _ in range(3)] == [0, 0, 0]
    memo.forget("a")
    assert memo.known("a") is None
    assert memo.get("a", lambda: next(loads)) == 1


def test_a_value_read_before_a_change_does_not_outlive_it() -> None:
    memo: Memo[str] = Memo()
    reading, changed = threading.Event(), threading.Event()

    def load() -> str:
        reading.set()
        assert changed.wait(10)
        return "old"

    def change() -> None:
        assert reading.wait(10)
        changed.set()
        memo.forget("a")

    changer = threading.Thread(target=change)
    changer.start()
    memo.get("a", load)
    changer.join()
    assert memo.get("a", lambda: "new") == "new"
