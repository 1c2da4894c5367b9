"""What the algorithms share whose data are rows of numbers."""

import gzip
import json
from collections.abc import Callable

import numpy as np

from clary.algorithms.kit.channels import CSV, RECORDIO
from clary.algorithms.kit.formats import JSON, JSONLINES
from clary.toolkits.recordio_writing import write_records
from tests.algorithms.cases.case import Channel, Form, Job, Mistakes, Refusal

UNLABELLED = f"{CSV};label_size=0"


WIDTH, ASKED = 4, 5


Table = np.ndarray


def blobs(seed: int, count: int = 120) -> tuple[Table, Table]:
    """Rows around three centers, and which of those each is of."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    rows = random.normal(0, 4, (3, WIDTH))[labels] + random.normal(0, 1, (count, WIDTH))
    return rows.astype(np.float32), labels.astype(np.float32)


def csv(table: Table) -> bytes:
    return "".join(f"{','.join(f'{value:.6g}' for value in row)}\n" for row in table.tolist()).encode()


def lines(table: Table) -> list[bytes]:
    return csv(table).splitlines()


def records(table: Table) -> list[bytes]:
    return [write_records({"values": row[None]}, {}) for row in table]


def instances(table: Table) -> list[bytes]:
    return [json.dumps({"features": row}).encode() for row in table.tolist()]


def job(content_type: str, file: str, make: Callable[[int], bytes], **hyperparameters: str) -> Callable[[int], Job]:
    return lambda seed: Job(hyperparameters, {"train": Channel(content_type, {file: make(seed)})})


def forms(table: Table, *, with_csv: bool = False) -> list[Form]:
    asked = table[:ASKED]
    found = [Form(CSV, JSONLINES, lines(asked)), Form(RECORDIO, JSONLINES, records(asked), "RecordIO")]
    return [*found, Form(CSV, CSV, lines(asked))] if with_csv else found


REFUSALS = (
    Refusal(CSV, b"1,2,3\n", "its rows have 3 features, and the model's have 4."),
    Refusal(CSV, b"1,2,3,4\n1,2\n", "line 2 has 2 columns"),
    Refusal(CSV, b"1,2,x,4\n", "line 1 has 'x', which is no number"),
    Refusal(CSV, b"1,2,nan,4\n", "row 1 has nan for feature"),
    Refusal(CSV, b"1,2,,4\n", "row 1 has nan for feature"),
    Refusal(CSV, b"1,2,1e39,4\n", "row 1 has inf for feature 3"),
    Refusal(CSV, b"", "there are no rows in it"),
    Refusal(CSV, b"\xff\xfe,1,2,3\n", "can't decode byte 0xff"),
    Refusal(JSON, b"{", "Expecting property name"),
    Refusal(JSON, b"[[1, 2, 3, 4]]", 'an object with the list "instances"'),
    Refusal(JSON, b'{"instances": []}', "there are no rows in it"),
    Refusal(JSON, b'{"instances": [{"features": [1, 2]}]}', "its rows have 2 features"),
    Refusal(
        JSON,
        b'{"instances": [{"features": [1, 2, 3, 4]}, {"features": [1]}]}',
        "instance 1 has 1 features, and the first has 4",
    ),
    Refusal(JSON, b'{"instances": [{"features": [1, 2, "x", 4]}]}', "'x'"),
    Refusal(
        JSON,
        b'{"instances": [{"features": [1, 2, null, 4]}]}',
        "row 1 has nan for feature 3, which is no finite number",
    ),
    Refusal(JSON, b'{"instances": [{"colour": "red"}]}', 'an instance has no "features"'),
    Refusal(JSON, b'{"instances": [7]}', 'an instance has no "features": 7'),
    Refusal(JSON, b'{"instances": [{"features": {"keys": [9], "values": [1], "shape": [4]}}]}', "from 0 to 3"),
    Refusal(JSON, b'{"instances": [{"features": {"keys": [1]}}]}', 'an instance has no "features"'),
    Refusal(JSON, b'{"instances": [{"features": {"keys": 1, "values": 2}}]}', 'an instance has no "features"'),
    Refusal(JSON, b'{"instances": [{"features": {"keys": [1], "values": [2], "shape": "x"}}]}', "'x'"),
    Refusal(JSONLINES, b'{"features": [1, 2, 3, 4]}\n{"features"\n', "line 2"),
    Refusal(RECORDIO, b"no record", "no RecordIO record begins at byte 0"),
    Refusal(RECORDIO, write_records({"values": np.ones((1, 4))}, {})[:-6], "cut short"),
    Refusal(RECORDIO, write_records({"values": np.ones((1, 3))}, {}), "its rows have 3 features"),
    Refusal(RECORDIO, write_records({"values": np.full((1, 4), np.nan)}, {}), "row 1 has nan for feature 1"),
    Refusal("text/libsvm", b"1:2", "Content-type text/libsvm is not supported", 415),
    Refusal(CSV, b"1,2,3,4\n", "Accept type image/png is not supported", 406, "image/png"),
)


def mistakes_of_csv(good: Job) -> Mistakes:
    """Of data without labels."""

    def with_file(content: bytes) -> Job:
        return good.holding("train", content)

    return {
        "no finite number": (with_file(b"1,2,3,4\n5,nan,7,8\n"), "data.csv: line 2 has nan for feature 2"),
        "infinite feature": (with_file(b"1,2,3,4\n5,6,7,inf\n"), "data.csv: line 2 has inf for feature 4"),
        "too large": (with_file(b"1,2,3,4\n5,6,7,1e39\n"), "data.csv: line 2 has inf for feature 4"),
        "missing value": (with_file(b"1,2,3,4\n5,,7,8\n"), "data.csv: line 2 has nan for feature 2"),
        "no number in a cell": (
            with_file(b"1,2,3,4\n5,6,seven,8\n"),
            "data.csv: line 2 has 'seven', which is no number",
        ),
        "a header": (with_file(b"a,b,c,d\n1,2,3,4\n"), "data.csv: line 1 has 'a', which is no number"),
        "a longer row": (
            with_file(b"1,2,3,4\n5,6,7,8,9\n"),
            "data.csv: line 2 has 5 columns, where those before it have 4",
        ),
        "feature_dim of others": (good.given(feature_dim="3"), "data.csv: line 1 has 4 features, and feature_dim is 3"),
        "empty lines alone": (with_file(b"\n\n\n"), "there is no data in it"),
        "no text": (with_file(b"\xff\xfe\x00\x01\n"), "data.csv: "),
        "broken gzip": (with_file(gzip.compress(b"1,2,3,4\n" * 900)[:-20]), "data.csv: "),
        "corrupt gzip": (with_file(b"\x1f\x8b" + b"nonsense" * 9), "data.csv: "),
        "second file": (good.holding("train", b"1,2,3,4\n1,2\n", "more.csv"), "more.csv: line 2 has 2 columns"),
        "no label_size": (good.typed("train", f"{CSV};label_size=x"), "label_size=x, which is no number"),
        "records": (good.typed("train", RECORDIO), "data.csv: record 1: no RecordIO record begins at byte 0"),
    }


def mistakes_of_records(good: Job, file: str = "data.csv") -> Mistakes:
    """Of RecordIO, with labels."""
    rows, labels = np.ones((40, WIDTH), np.float32), np.zeros(40, np.float32)
    broken = rows.copy()
    broken[30, 1] = np.nan
    wrong = labels.copy()
    wrong[30] = np.nan

    def holding(content: bytes) -> Job:
        return good.typed("train", RECORDIO).holding("train", content)

    whole = write_records({"values": rows}, {"values": labels})
    return {
        "cut record": (holding(whole[:-7]), f"{file}: record 40: the last record is cut short"),
        "no magic": (holding(whole + b"nonsense"), f"{file}: record 41: no RecordIO record begins at byte"),
        "nan in a record": (
            holding(write_records({"values": broken}, {"values": labels})),
            f"{file}: record 31 has nan for feature 2",
        ),
        "nan as a label": (
            holding(write_records({"values": rows}, {"values": wrong})),
            f"{file}: record 31 has the label nan",
        ),
        "other records": (
            holding(whole + write_records({"values": rows[:, :2]}, {"values": labels})),
            f"{file}: record 41 has 2 features",
        ),
        "other feature": (
            holding(write_records({"colours": rows}, {"values": labels})),
            f"{file}: record 1: a record has no feature tensor named 'values'",
        ),
    }


ROWS, _ = blobs(9)
