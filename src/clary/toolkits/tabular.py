"""CSV and libsvm text as matrices: of whole files for training, of a few rows for a prediction.

Missing CSV values become NaN. libsvm indices are taken as they stand, so that data counted from 1 has an
empty column 0: so does XGBoost itself, and models are exchanged with it.
"""

import csv
import io
import threading
import warnings
from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

DELIMITERS = (",", "\t", ";", "|", " ")

FEW_ROWS = 500

Array = NDArray[np.float32]


class LibsvmData(NamedTuple):
    features: csr_matrix
    labels: Array
    weights: Array | None
    """Of `label:weight`."""
    groups: NDArray[np.int64] | None
    """Of `qid:n`."""


def sniff_delimiter(line: str) -> str | None:
    """The delimiter that a CSV line uses most; None where it has but one column."""
    best = max(DELIMITERS, key=line.strip().count)
    return best if best in line.strip() else None


def read_csv(lines: Iterable[str], delimiter: str) -> Array:
    """Rows of equal length; raises `ValueError` where a row differs or a value is no number."""
    return np.loadtxt(_filled(lines, delimiter), dtype=np.float32, delimiter=delimiter, ndmin=2, comments=None)


def read_csv_rows(text: str) -> Array:
    """The rows of a request. Of the few of a call they are split by hand, since a reader of files takes too long to get
    going; the many of a batch are left to one."""
    lines = text.strip().splitlines()
    delimiter = "," if "," in lines[0] else sniff_delimiter(lines[0]) or ","
    if len(lines) > FEW_ROWS and (table := _read_many(text, lines, delimiter)) is not None:
        return table
    rows = [[value or "nan" for value in line.split(delimiter)] for line in lines]
    return np.array(rows).astype(np.float32)


def expect_many_rows() -> None:
    """Batches come: have what reads them ready by then, and let nobody wait for it."""
    threading.Thread(target=_reader, daemon=True).start()


def _reader() -> Any:
    try:
        return import_module("pandas")
    except ImportError:
        return None


def _read_many(text: str, lines: list[str], delimiter: str) -> Array | None:
    """None for what is no table of numbers: who reads it by hand tells what is wrong."""
    pandas = _reader()
    if pandas is None:
        return None
    try:
        table: Array = pandas.read_csv(
            io.StringIO(text),
            sep=delimiter,
            header=None,
            dtype=np.float32,
            na_values=["", "nan", "NaN"],
            keep_default_na=False,
            quoting=csv.QUOTE_NONE,
        ).to_numpy()
    except ValueError:
        return None
    # It fills rows that are too short.
    whole = text.count(delimiter) == len(lines) * (table.shape[1] - 1)
    return table if whole and len(table) == len(lines) else None


def _filled(lines: Iterable[str], delimiter: str) -> Iterator[str]:
    """Lines with `nan` where a value is missing; `loadtxt` knows no missing values."""
    double = delimiter * 2
    for line in lines:
        row = line.rstrip("\r\n")
        if double in row or row.startswith(delimiter) or row.endswith(delimiter):
            row = delimiter.join(value.strip() or "nan" for value in row.split(delimiter))
        yield row


def read_libsvm(lines: Iterable[str], width: int = 0) -> LibsvmData:
    """`label[:weight] [qid:n] index:value …` a line; `width` is the least number of columns."""
    labels: list[str] = []
    weights: list[str] = []
    groups: list[str] = []
    features: list[str] = []
    for line in lines:
        label, _, rest = line.partition("#")[0].strip().partition(" ")
        if not label:
            continue
        name, _, weight = label.partition(":")
        labels.append(name)
        weights.append(weight)
        rest = rest.lstrip()
        if rest.startswith("qid:"):
            group, _, rest = rest.partition(" ")
            groups.append(group.removeprefix("qid:"))
        features.append(rest)
    return LibsvmData(
        _sparse(features, width),
        np.array(labels, dtype=np.float32),
        np.array([weight or "1" for weight in weights], dtype=np.float32) if any(weights) else None,
        np.array(groups, dtype=np.int64) if groups else None,
    )


def read_libsvm_rows(text: str, width: int = 0) -> csr_matrix:
    """The rows of a request, with or without a label before the features."""
    rows = (line.split() for line in text.strip().splitlines())
    return _sparse([" ".join(word for word in row if ":" in word) for row in rows], width)


def _sparse(rows: list[str], width: int) -> csr_matrix:
    """All `index:value` pairs at once: numbers are parsed in one go, pairs counted per row."""
    counts = [row.count(":") for row in rows]
    numbers = _numbers(" ".join(rows).replace(":", " "))
    if len(numbers) != 2 * sum(counts):
        bad = next((word for row in rows for word in row.split() if not _is_pair(word)), "")
        raise ValueError(f"{bad!r} is no <index>:<value>")
    indices, values = numbers[0::2].astype(np.int64), numbers[1::2].astype(np.float32)
    if len(indices) and indices.min() < 0:
        raise ValueError(f"{indices.min()} is no index of a feature")
    width = max(width, int(indices.max()) + 1 if len(indices) else 0)
    return csr_matrix((values, indices, np.cumsum([0, *counts])), shape=(len(rows), width))


def _numbers(text: str) -> NDArray[np.float64]:
    """Numbers apart by blanks; none at all where a word is no number."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", DeprecationWarning)  # What numpy before 2.3 has for an error here.
            return np.fromstring(text, sep=" ") if text.strip() else np.empty(0)
    except (ValueError, DeprecationWarning):
        return np.empty(0)


def _is_pair(word: str) -> bool:
    index, _, value = word.partition(":")
    try:
        float(value)
    except ValueError:
        return False
    return index.isdigit()
