"""Hosts that exchange arrays, each a thread with an address of its own."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from clary.algorithms.errors import AlgorithmError
from clary.algorithms.kit.team import Team

HOSTS = ["127.89.2.1", "127.89.2.2", "127.89.2.3"]
"""Addresses of the loopback serve as names that resolve."""


def on_all(act: Callable[[Team, int], Any]) -> list[Any]:
    with ThreadPoolExecutor(len(HOSTS)) as pool:
        return list(pool.map(lambda number: act(Team(HOSTS, HOSTS[number]), number), range(len(HOSTS))))


def test_sums_gathers_and_broadcasts_are_the_same_on_all() -> None:
    def act(team: Team, number: int) -> Any:
        big = np.full((300, 1000), number, np.float64)
        sums = team.sum(big, np.array(number))
        gathered = team.gather({"rows": np.arange(number)} if number != 1 else {})
        told = team.broadcast({"center": np.array([number])})
        return (
            float(sums[0].sum()),
            int(sums[1]),
            [{name: array.tolist() for name, array in each.items()} for each in gathered],
            told["center"].tolist(),
            team.agrees(number == 2),
            team.agrees(False),
            team.leads,
        )

    common = (300 * 1000 * 3.0, 3, [{"rows": []}, {}, {"rows": [0, 1]}], [0], True, False)
    assert on_all(act) == [(*common, True), (*common, False), (*common, False)]


def test_one_that_is_alone_has_what_it_gives() -> None:
    team = Team()
    assert team.sum(np.array(3))[0] == 3
    assert [list(each) for each in team.gather({"a": np.array(1)})] == [["a"]]
    assert team.leads


def test_the_end_of_one_is_told() -> None:
    def act(team: Team, number: int) -> str:
        if number == 1:
            team.close()
            return ""
        with pytest.raises(AlgorithmError) as told:
            team.sum(np.array(1))
        team.close()
        return str(told.value)

    assert on_all(act) == [
        f"{HOSTS[1]} ended before the training was done.",
        "",
        f"{HOSTS[0]} ended before the training was done.",
    ]
