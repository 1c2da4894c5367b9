"""Writes without end and prints what was acknowledged, for `test_crash.py` to kill."""

import sys

from clary.database import open_database
from clary.records.logs import LogStore
from clary.records.metrics import MetricStore
from clary.records.store import Records
from tests.records.kinds import ASLEEP, AWAKE, CAT, GONE, HOME


def main(url: str) -> None:
    engine = open_database(url)
    records, logs, metrics = Records(engine), LogStore(engine), MetricStore(engine)
    counter = records.create(CAT, HOME, "counter", "arn:counter", {}, GONE)
    number = 0
    while True:
        record = records.create(CAT, HOME, f"cat-{number}", f"arn:{number}", {}, ASLEEP)
        print(f"created cat-{number}", flush=True)
        records.transition(record, AWAKE, document={"Number": number})
        print(f"woken cat-{number}", flush=True)
        with records.together():
            logs.append(HOME, "g", "s", [(float(number), f"line {number}")], source_offset=number + 1)
            metrics.add(HOME, "ns", "lines", {}, float(number), 1.0)
            counter = records.update(counter, {"Lines": number + 1})
        print(f"logged {number}", flush=True)
        number += 1


if __name__ == "__main__":
    main(sys.argv[1])
