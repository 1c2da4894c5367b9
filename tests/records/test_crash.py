"""`kill -9` of a process that writes: what it was told is done is there, and nothing is half there."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from clary.database import open_database
from clary.records.log_reader import HEAD, Window
from clary.records.logs import LogStore
from clary.records.metrics import MetricStore, Series
from clary.records.query import Query
from clary.records.store import Records
from tests.records.kinds import ASLEEP, AWAKE, CAT, HOME

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("acknowledged", [1, 2, 100, 301])
def test_what_was_acknowledged_survives_a_kill(url: str, acknowledged: int) -> None:
    lines = _write_and_kill(url, acknowledged)
    engine = open_database(url)
    records, logs = Records(engine), LogStore(engine)
    kept = {record.name: record for record in records.list(CAT, HOME, Query(max_results=10_000)).records}
    for line in lines:
        what, _, name = line.partition(" ")
        if what == "created":
            assert name in kept
        if what == "woken":
            assert kept[name].state == AWAKE
    counter = kept.pop("counter", None)
    for record in kept.values():
        # A status never without its event and its document.
        states = [event.state for event in records.events(record)]
        assert states == ([ASLEEP, AWAKE] if record.state == AWAKE else [ASLEEP])
        assert bool(record.document) == (record.state == AWAKE)
    logged = logs.search(HOME, "g", Window(), HEAD, 10_000) if logs.source_offset(HOME, "g", "s") else []
    assert [event.text for event in logged] == [f"line {number}" for number in range(len(logged))]
    assert len(logged) >= sum(line.startswith("logged") for line in lines)
    # What was written together is there together.
    assert logs.source_offset(HOME, "g", "s") == len(logged)
    assert len(MetricStore(engine).samples(HOME, Series("ns", "lines", {}), 0, 10_000)) == len(logged)
    assert counter is not None
    assert counter.document.get("Lines", 0) == len(logged)


def _write_and_kill(url: str, acknowledged: int) -> list[str]:
    """The lines that the writer printed before it was killed, at least so many."""
    writer = subprocess.Popen(
        [sys.executable, "-m", "tests.records.writer", url], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    lines = [writer.stdout.readline() for _ in range(acknowledged)]
    writer.send_signal(signal.SIGKILL)
    lines += writer.stdout.readlines()
    assert writer.wait() == -signal.SIGKILL
    # The last line may have been cut off in the middle of its printing.
    return [line.strip() for line in lines if line.endswith("\n")]
