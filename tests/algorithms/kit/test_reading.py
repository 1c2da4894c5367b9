"""Channels in every form become the same batches, and what is wrong with one is told with its place."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from clary.algorithms.errors import UserError
from clary.algorithms.kit import formats
from clary.algorithms.kit.base import Algorithm
from clary.algorithms.kit.batches import join
from clary.algorithms.kit.channels import RECORDIO, Takes, check
from clary.algorithms.kit.job import Job, open_job
from clary.algorithms.kit.parameters import integer
from clary.toolkits.recordio_writing import write_records
from tests.algorithms.container import sparse_records

ROWS = np.random.default_rng(1).normal(size=(700, 5)).astype(np.float32)
LABELS = np.arange(700, dtype=np.float32)
CSV = "".join(",".join(map(repr, row)) + "\n" for row in np.column_stack([LABELS, ROWS]).tolist()).encode()


class Plain(Algorithm):
    name = "plain"
    hyperparameters = (integer("feature_dim"), integer("mini_batch_size", default=300))
    channels = (Takes("train", required=True), Takes("test"))


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))
    (tmp_path / "input/config").mkdir(parents=True)
    (tmp_path / "input/data/train").mkdir(parents=True)
    return tmp_path


def job(root: Path, content_type: str | None, **parameters: str) -> Job:
    channel = {"ContentType": content_type} if content_type else {}
    (root / "input/config/inputdataconfig.json").write_text(json.dumps({"train": channel}))
    (root / "input/config/hyperparameters.json").write_text(json.dumps(parameters))
    return open_job(Plain())


@pytest.mark.parametrize(
    ("content_type", "data"),
    [
        ("text/csv", CSV),
        ("text/csv; label_size=1", gzip.compress(CSV)),
        ("text/csv", CSV.rstrip().replace(b"\n", b"\r\n")),
        (None, write_records({"values": ROWS}, {"values": LABELS})),
        (RECORDIO, write_records({"values": ROWS.astype(np.float64)}, {"values": LABELS.astype(np.float64)})),
        (RECORDIO, gzip.compress(write_records({"values": ROWS}, {"values": LABELS}))),
        (RECORDIO, sparse_records(ROWS, LABELS.astype(int))),
    ],
)
def test_every_form_gives_the_same_batches(root: Path, content_type: str | None, data: bytes) -> None:
    half = root / "input/data/train"
    (half / "a").write_bytes(data)
    (half / "deeper").mkdir()
    (half / "deeper/b").write_bytes(data)
    (half / "_SUCCESS").write_bytes(b"")
    told = job(root, content_type)
    batches = list(told.batches())
    assert [len(batch) for batch in batches] == [300, 300, 300, 300, 200]
    whole = join(batches)
    assert np.allclose(whole.dense(), np.vstack([ROWS, ROWS]), rtol=1e-6)
    assert whole.labels is not None
    assert (whole.labels == np.concatenate([LABELS, LABELS])).all()
    assert told.feature_dim == 5


def test_widths_of_sparse_rows_are_those_of_the_job(root: Path) -> None:
    sparse = np.zeros((50, 9000), np.float32)
    sparse[np.arange(50), np.arange(50) * 170] = 1.5
    (root / "input/data/train/rows").write_bytes(sparse_records(sparse, np.zeros(50)))
    [batch] = job(root, None, feature_dim="10000").batches()
    assert isinstance(batch.features, csr_matrix)
    assert batch.features.shape == (50, 10000)
    assert (batch.dense()[:, :9000] == sparse).all()


BAD_ROWS = ROWS[:40].copy()
BAD_ROWS[30, 2] = np.nan
WIDE_ROW = np.zeros((40, 9), np.float32)
WIDE_ROW[:, 0] = WIDE_ROW[20, 4] = 1


@pytest.mark.parametrize(
    ("content_type", "data", "reason"),
    [
        ("text/csv", b"1,2,3\n1,2\n", "rows: line 2 has 2 columns, where those before it have 3"),
        ("text/csv", b"1,2,3\n1,2,three\n", "rows: line 2 has 'three', which is no number"),
        (
            "text/csv",
            b"1,2,3\n1,,3\n",
            r"Found missing \(NaN\).*rows: line 2 has nan for feature 1, which is no finite",
        ),
        ("text/csv", b"inf,2,3\n", "Found infinite floating point values.*rows: line 1 has the label inf"),
        (
            "text/csv",
            CSV,
            "feature_dim hyperparameter '2' doesn't match train data dimensionality '5'.*rows: line 1 has 5",
        ),
        ("text/csv;label_size=0", b"1,2\n1,2,3\n", "rows: line 2 has 3 columns"),
        (
            RECORDIO,
            CSV,
            r"channel 'train'. Requested content-type is 'application.*record 1: no RecordIO record begins at byte 0",
        ),
        (RECORDIO, write_records({"values": ROWS[:, :2]}, {})[:-9], "record 700: the last record is cut short"),
        (RECORDIO, write_records({"values": BAD_ROWS[:, 1:3]}, {}), "rows: record 31 has nan for feature 2"),
        (RECORDIO, sparse_records(BAD_ROWS[:, 1:3], LABELS[:40]), "rows: record 31 has nan for feature 2"),
        (RECORDIO, sparse_records(WIDE_ROW, LABELS[:40]), "rows: record 21 has 5 features, and feature_dim is 2"),
        (RECORDIO, write_records({"other": ROWS}, {}), "record 1: a record has no feature tensor named 'values'"),
        (RECORDIO, b"", "Unable to read data channel 'train': there is no data in it"),
        ("text/plain", b"", r"No iterator has been registered for ContentType \('text/plain', '1.0'\)"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(root: Path, content_type: str, data: bytes, reason: str) -> None:
    (root / "input/data/train/rows").write_bytes(data)
    with pytest.raises(UserError, match=f"(?s){reason}"):
        list(job(root, content_type, feature_dim="2").batches())


def test_a_row_without_a_label_is_told_where_one_is_needed(root: Path) -> None:
    (root / "input/data/train/rows").write_bytes(write_records({"values": ROWS}, {}))
    with pytest.raises(UserError, match="rows: record 1 has no label"):
        list(job(root, RECORDIO).batches(labelled=True))


@pytest.mark.parametrize(
    ("channels", "reason"),
    [
        ({}, "'train' is a required property"),
        ({"train": {}, "trial": {}}, r"\('trial' was unexpected\): the channels of this algorithm are train, test"),
        ({"train": {"TrainingInputMode": "Tape"}}, "'Tape' is not one of"),
    ],
)
def test_channels_are_those_of_the_algorithm(channels: dict[str, dict[str, str]], reason: str) -> None:
    with pytest.raises(UserError, match=reason):
        check(Plain.channels, channels)


@pytest.mark.parametrize(
    ("media", "body"),
    [
        ("text/csv", b"1,2.5,0\n0,0,4"),
        ("application/json", b'{"instances": [{"features": [1, 2.5, 0]}, {"features": [0, 0, 4]}]}'),
        (
            "application/json",
            b'{"instances": [{"data": {"features": {"values": [1, 2.5, 0]}}}, {"features": [0, 0, 4]}]}',
        ),
        (
            "application/json",
            b'{"instances": [{"data": {"features": {"values": [1, 2.5], "keys": [0, 1], "shape": [3]}}},'
            b' {"data": {"features": {"values": [4], "keys": [2]}}}]}',
        ),
        ("application/jsonlines", b'{"features": [1, 2.5, 0]}\n{"data": {"features": {"values": [0, 0, 4]}}}\n'),
        (RECORDIO, write_records({"values": np.array([[1, 2.5, 0], [0, 0, 4]])}, {})),
        (RECORDIO, sparse_records(np.array([[1, 2.5, 0], [0, 0, 4]]), np.zeros(2))),
    ],
)
def test_requests_in_every_format_are_the_same_rows(media: str, body: bytes) -> None:
    assert formats.read_request(body, media, 3).dense().tolist() == [[1, 2.5, 0], [0, 0, 4]]


def test_a_request_in_csv_may_have_labels_and_an_encoding() -> None:
    body = "7,1,2.5\n8,0,0\n".encode("utf-16")
    rows = formats.read_request(body, "text/csv", 2, {"label_size": "1", "encoding": "utf-16"})
    assert rows.dense().tolist() == [[1, 2.5], [0, 0]]
    with pytest.raises(ValueError, match="label_size=some of its content type is no number"):
        formats.read_request(b"1,2", "text/csv", 2, {"label_size": "some"})
    with pytest.raises(ValueError, match="encoding=none of its content type is not known"):
        formats.read_request(b"1,2", "text/csv", 2, {"encoding": "none"})
