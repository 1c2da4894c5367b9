"""A channel as batches, in the memory that a few of them take.

    file or pipe ─▶ [gzip] ─▶ RecordIO or CSV, some megabytes at a time ─▶ checked ─▶ batches of one size

What is wrong is told with the file and its record or line.
"""

import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from clary.algorithms.kit.batches import Batch, rebatch, split
from clary.algorithms.kit.channels import CSV, RECORDIO, Channel
from clary.algorithms.kit.files import GZIP
from clary.algorithms.kit.labels import Classes
from clary.algorithms.kit.refusals import UnsoundError, WidthError, unreadable
from clary.algorithms.kit.soundness import first_negative, first_unsound, first_wider
from clary.toolkits.recordio import read_rows
from clary.toolkits.tabular import read_csv

BUFFER = 64 * 1024
CHUNK = 4 * 1024 * 1024
"""Bytes of text that are read at once."""


class Expected(NamedTuple):
    """What rows must be like."""

    width: int | None = None
    """Features; None takes them as the first rows have them."""
    labelled: bool = False
    """Whether each has one label."""
    classes: Classes | None = None
    """Which that label may be; None takes any number."""
    counts: bool = False
    """Whether no feature is negative."""


def read_batches(channel: Channel, size: int, epoch: int, expected: Expected, *, even: bool) -> Iterator[Batch]:
    """Of so many rows each, or at most so many where they need not be `even`. Raises `UserError` for what is not as
    expected."""
    parts = _read(channel, epoch, expected)
    return rebatch(parts, size) if even else split(parts, size)


def _read(channel: Channel, epoch: int, expected: Expected) -> Iterator[Batch]:
    unit, decode = DECODERS[channel.content_type]
    width = expected.width
    for path in channel.files(epoch):
        read = 0
        try:
            with io.BufferedReader(io.FileIO(path), BUFFER) as file:
                for batch in decode(_unpacked(file), channel):
                    width = width or batch.width
                    batch = _of_width(batch, width, unit, read + 1)
                    _check(batch, expected, unit, read + 1)
                    read += len(batch)
                    yield batch
        except (ValueError, OSError, EOFError, zlib.error) as error:
            raise unreadable(channel, path, error) from error


def _unpacked(file: "io.BufferedReader[io.FileIO]") -> io.BufferedIOBase:
    return gzip.GzipFile(fileobj=file) if file.peek(2)[:2] == GZIP else file


def _of_width(batch: Batch, width: int, unit: str, first: int) -> Batch:
    """`first` is the number of the batch's first row in its file."""
    if batch.width == width:
        return batch
    if batch.is_sparse and batch.width < width:
        batch.features.resize(len(batch), width)
        return batch
    row, features = first_wider(batch, width)
    raise WidthError(
        f"{unit} {first + row} has {features} features, and feature_dim is {width}. Where the first column of a CSV "
        "is no label, say so in the content type: text/csv;label_size=0",
        features,
        width,
    )


def _check(batch: Batch, expected: Expected, unit: str, first: int) -> None:
    if bad := first_unsound(batch) or (expected.counts and first_negative(batch)):
        raise UnsoundError(f"{unit} {first + bad.row} {bad.what}", bad.value)
    labels = batch.labels
    if expected.labelled and labels is None:
        raise ValueError(f"{unit} {first} has no label")
    if labels is None:
        return
    if expected.labelled and labels.ndim > 1:
        raise ValueError(f"{unit} {first} has {labels.shape[1]} labels, and must have one")
    if not np.isfinite(labels).all():
        row = int(np.isfinite(labels).reshape(len(batch), -1).all(axis=1).argmin())
        label = float(labels[~np.isfinite(labels)][0])
        raise UnsoundError(f"{unit} {first + row} has the label {labels[row]}, which is no finite number", label)
    if expected.classes and (wrong := expected.classes.first_wrong(labels)) is not None:
        raise ValueError(f"{unit} {first + wrong} has the label {labels[wrong]:g}: {expected.classes}")


def _decode_recordio(stream: io.BufferedIOBase, _channel: Channel) -> Iterator[Batch]:
    for rows in read_rows(stream):
        yield Batch(rows.features, rows.labels)


def _decode_csv(stream: io.BufferedIOBase, channel: Channel) -> Iterator[Batch]:
    rest, done = b"", 0
    while True:
        chunk = stream.read(CHUNK)
        whole, newline, rest = (rest + chunk).rpartition(b"\n") if chunk else (rest, b"", b"")
        lines = (whole + newline).decode().splitlines()
        if any(lines):
            table = _table(lines, done)
            yield split_label(table, channel.label_size)
            done += len(lines)
        if not chunk:
            return


def split_label(table: NDArray[np.float32], columns: int) -> Batch:
    """The first columns of a table are labels, where there are any."""
    if not columns:
        return Batch(table)
    labels = table[:, 0] if columns == 1 else table[:, :columns]
    return Batch(np.ascontiguousarray(table[:, columns:]), np.ascontiguousarray(labels))


def _table(lines: list[str], done: int) -> NDArray[np.float32]:
    try:
        return read_csv(lines, ",")
    except ValueError as error:
        raise ValueError(first_bad_line(lines, done) or str(error)) from error


def first_bad_line(lines: list[str], done: int = 0) -> str:
    """What is wrong with which line of a CSV; empty where it is not found. `done` lines came before."""
    columns = lines[0].count(",") + 1
    for number, line in enumerate(lines, done + 1):
        values = line.split(",")
        if line.strip() and len(values) != columns:
            return f"line {number} has {len(values)} columns, where those before it have {columns}"
        for value in values if line.strip() else []:
            try:
                float(value or "nan")
            except ValueError:
                return f"line {number} has {value.strip()!r}, which is no number"
    return ""


Decode = Callable[[io.BufferedIOBase, Channel], Iterator[Batch]]
DECODERS: dict[str, tuple[str, Decode]] = {RECORDIO: ("record", _decode_recordio), CSV: ("line", _decode_csv)}
"""Content type → what its rows are called, and how they are read."""
