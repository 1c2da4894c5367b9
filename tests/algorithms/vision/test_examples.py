"""What the channels of pictures hold, in each documented form."""

import json
import os
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from clary.algorithms.errors import UserError
from clary.algorithms.kit.channels import Channel
from clary.algorithms.kit.job import Job
from clary.algorithms.kit.team import Team
from clary.algorithms.vision.examples import IMAGE, RECORDIO, Example, Labels, read_examples
from clary.toolkits.recordio_frames import HEADER, MAGIC, MAGIC_BYTES
from tests.algorithms.pictures import framed, record


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))
    (tmp_path / "input/data/train").mkdir(parents=True)
    return tmp_path / "input/data"


def parse(text: str) -> Labels:
    return np.array(json.loads(text), np.float32).reshape(-1)


def read(*channels: Channel) -> list[Example]:
    return read_examples(Job({}, {each.name: each for each in channels}, Team()), "train", parse)


def told(examples: list[Example]) -> list[tuple[list[float], bytes]]:
    return [(example.labels.tolist(), example.encoded()) for example in examples]


def test_records_have_a_label_or_several(data: Path) -> None:
    (data / "train/a.rec").write_bytes(record([3], b"one") + record([1, 0, 1], b"four"))
    assert told(read(Channel("train", RECORDIO))) == [([3], b"one"), ([1, 0, 1], b"four")]


@pytest.mark.parametrize("mode", ["File", "Pipe"])
def test_a_record_may_have_been_written_in_parts(data: Path, mode: str) -> None:
    """As MXNet does it where the magic number is in the picture."""
    whole = record([2], b"1234" + MAGIC_BYTES + b"5678" + MAGIC_BYTES + b"90ab")
    parts = whole[HEADER.size :].split(MAGIC_BYTES)
    assert len(parts) == 3
    written = b"".join(
        HEADER.pack(MAGIC, len(part) | flag << 29) + part for flag, part in zip((1, 2, 3), parts, strict=True)
    )
    (data / ("train_0" if mode == "Pipe" else "train/a.rec")).write_bytes(written + record([0], b"next"))
    assert told(read(Channel("train", RECORDIO, mode=mode))) == [
        ([2], b"1234" + MAGIC_BYTES + b"5678" + MAGIC_BYTES + b"90ab"),
        ([0], b"next"),
    ]


@pytest.mark.parametrize("mode", ["File", "Pipe"])
@pytest.mark.parametrize(
    ("written", "reason"),
    [
        (record([3], b"one")[:-1], "the last record is cut short"),
        (b"no records", "no RecordIO record begins at byte 0"),
        (HEADER.pack(MAGIC, 4) + b"tiny", "record 1 is too short to hold an image."),
    ],
)
def test_what_is_wrong_with_records_is_told(data: Path, mode: str, written: bytes, reason: str) -> None:
    (data / ("train_0" if mode == "Pipe" else "train/a.rec")).write_bytes(written)
    with pytest.raises(UserError, match=reason):
        read(Channel("train", RECORDIO, mode=mode))


def test_records_come_through_a_pipe_as_they_are(data: Path) -> None:
    os.mkfifo(data / "train_0")
    written = record([3], b"one") + record([1], b"two" * 100_000)
    feed = Thread(target=(data / "train_0").write_bytes, args=(written,))
    feed.start()
    assert told(read(Channel("train", RECORDIO, mode="Pipe"))) == [([3], b"one"), ([1], b"two" * 100_000)]
    feed.join()


@pytest.mark.parametrize("content_type", [RECORDIO, IMAGE, "image/png"])
def test_a_manifest_gives_pictures_and_labels_by_turns(data: Path, content_type: str) -> None:
    (data / "train_0").write_bytes(b"".join(map(framed, (b"one", b"1", b"two", b'"0"', b"three", b"[0, 1]"))))
    found = read(Channel("train", content_type, mode="Pipe", wrapped=True))
    assert told(found) == [([1], b"one"), ([0], b"two"), ([0, 1], b"three")]
    assert found[2].name == "The image of line 3 of the manifest of 'train'"


@pytest.mark.parametrize(
    ("piped", "reason"),
    [
        (framed(b"one"), "The augmented manifest of 'train' gives an image without a label"),
        (framed(b"one") + framed(b"cat"), "The label of line 1 of the manifest of 'train' cannot be read: "),
        (b"no records at all", "The pipe of 'train' gives no records: "),
        (b"", "Unable to read data channel 'train': there is no data in it."),
    ],
)
def test_what_is_wrong_with_a_manifest_is_told(data: Path, piped: bytes, reason: str) -> None:
    (data / "train_0").write_bytes(piped)
    with pytest.raises(UserError) as error:
        read(Channel("train", IMAGE, mode="Pipe", wrapped=True))
    assert str(error.value).startswith(reason)


def test_pictures_through_a_pipe_need_to_be_wrapped(data: Path) -> None:
    (data / "train_0").write_bytes(b"one")
    with pytest.raises(UserError, match="set RecordWrapperType to RecordIO"):
        read(Channel("train", IMAGE, mode="Pipe"))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("1\tcat\tone.png", "train.lst, line 1 has a label that is no number"),
        ("1\tone.png", "train.lst, line 1 is not number, label and path with tabs between."),
        (
            "1\t0\t../../secret",
            "train.lst, line 1 names the image '../../secret', which is not in the channel 'train'.",
        ),
    ],
)
def test_what_is_wrong_with_a_list_is_told(data: Path, line: str, reason: str) -> None:
    (data / "train/one.png").write_bytes(b"one")
    (data.parent / "secret").write_bytes(b"")
    (data / "train_lst").mkdir()
    (data / "train_lst/train.lst").write_text(line)
    with pytest.raises(UserError) as error:
        read(Channel("train", IMAGE), Channel("train_lst", IMAGE))
    assert str(error.value).startswith(reason)


def test_a_list_names_files_in_directories(data: Path) -> None:
    (data / "train/cats").mkdir()
    (data / "train/cats/one.png").write_bytes(b"one")
    (data / "train_lst").mkdir()
    (data / "train_lst/train.lst").write_text("5\t1\tcats/one.png\n\n")
    assert told(read(Channel("train", IMAGE), Channel("train_lst", IMAGE))) == [([1], b"one")]
    with pytest.raises(UserError, match="needs a channel 'train_lst'"):
        read(Channel("train", IMAGE))
