"""`kill -9` of a platform among parents, children and timers: no wake is lost, nothing is stepped twice at once."""

import random
import subprocess
import sys
from pathlib import Path

from clary.database import open_database
from clary.records.query import Query
from clary.records.store import Records
from tests.control.brood import BROOD, CHICK, RINGS, SCOPE

ROOT = Path(__file__).parents[2]
KILLS = 4


def run(url: str, seed: int, broods: int, *, until: int | None = None) -> list[str]:
    """What it printed until it was killed, after so many lines, or had settled."""
    command = [sys.executable, "-m", "tests.control.brood", url, str(seed), str(broods)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            if until is None:
                return process.communicate(timeout=30)[0].split("\n")
            lines = [process.stdout.readline() for _ in range(until)]
        finally:
            process.kill()
        return [line.strip() for line in lines + process.stdout.readlines() if line.endswith("\n")]


def test_whatever_was_begun_comes_to_its_end(url: str) -> None:
    seed = random.randrange(1_000_000)
    print(f"seed {seed}")
    chance = random.Random(seed)
    lines: list[str] = []
    for kill in range(KILLS):
        lines += run(url, seed + kill, 1000, until=chance.randint(1, 30))
    assert run(url, seed + KILLS, 5)[-2:] == ["settled", ""]
    assert not [line for line in lines if line.startswith("twice")]
    records = Records(open_database(url))
    broods = {brood.name: brood for brood in records.list(BROOD, SCOPE, Query(max_results=10_000)).records}
    for line in lines:
        what, _, name = line.partition(" ")
        assert name in broods
        if what == "stopped":
            assert broods[name].state.status in ("Stopped", "Ended")
    for brood in broods.values():
        assert sum(brood.document["Chicks"].values()) <= 6
        assert set(brood.document["Chicks"]) <= {"Ended", "Stopped"}
        for chick in records.children(brood, CHICK):
            assert chick.state.status == "Stopped" or chick.document["Rings"] == RINGS
