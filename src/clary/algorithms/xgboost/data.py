"""A channel's files as one `DMatrix`.

/opt/ml/input/data/<channel>/**, or the pipe <channel>_0 → format of the channel's content type → features, label,
weights → DMatrix
"""

import logging
import os
import stat
from collections.abc import Callable, Iterator
from importlib import import_module
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import vstack

from clary.algorithms.errors import UserError
from clary.algorithms.xgboost.content import Format
from clary.algorithms.xgboost.library import RELEASE, xgboost
from clary.toolkits.recordio import read_recordio
from clary.toolkits.tabular import read_csv, read_libsvm, sniff_delimiter


def load_matrix(directories: list[str], kind: Format, *, weights: bool = False) -> "xgboost.DMatrix | None":
    """All data files under `directories` as one matrix; None where there is no data.

    `weights` says that the second column of a CSV holds the rows' weights.
    """
    files = [path for directory in directories for path in data_files(directory)]
    if not files:
        return None
    read: Callable[[list[str]], xgboost.DMatrix | None] = {
        "csv": lambda paths: _read_csv(paths, weights),
        "libsvm": _read_libsvm,
        "parquet": _read_parquet,
        "recordio-protobuf": _read_recordio,
    }[kind]
    try:
        matrix = read(files)
    except (ValueError, OSError, xgboost.core.XGBoostError) as error:
        raise UserError(f"Failed to load {kind} data with exception:\n{error}") from error
    if matrix is None:
        return None
    if matrix.num_row() and not matrix.get_label().size:
        raise UserError("Got input data without labels. Please check the input data set.")
    return matrix


def data_files(directory: str) -> list[str]:
    """Files with something in them, in any sub-directory, in the order of their names; of a channel in Pipe mode the
    pipe of its first epoch."""
    pipe = f"{directory}_0"
    if os.path.exists(pipe) and stat.S_ISFIFO(os.stat(pipe).st_mode):
        return [pipe]
    found = []
    for parent, directories, names in os.walk(directory):
        directories.sort()
        for name in sorted(names):
            if name.startswith("."):
                raise UserError("Hidden file found in the data path! Remove that before training.")
            if not name.startswith("_") and os.path.getsize(os.path.join(parent, name)):
                found.append(os.path.join(parent, name))
    return found


def _lines(paths: list[str]) -> Iterator[str]:
    for path in paths:
        with open(path, errors="replace") as file:
            yield from file


def _read_csv(paths: list[str], weighted: bool) -> "xgboost.DMatrix | None":
    lines = _lines(paths)
    first = next(lines, None)
    if first is None:
        return None
    delimiter = sniff_delimiter(first)
    if delimiter is None:
        raise UserError(f"Could not determine delimiter on line {first[:50].strip()}")
    logging.info("Determined delimiter of CSV input is '%s'", delimiter)
    table = read_csv(chain([first], lines), delimiter)
    start = 2 if weighted else 1
    return xgboost.DMatrix(table[:, start:], label=table[:, 0], weight=table[:, 1] if weighted else None)


def _read_libsvm(paths: list[str]) -> "xgboost.DMatrix":
    data = read_libsvm(_lines(paths))
    if data.groups is None:
        return xgboost.DMatrix(data.features, label=data.labels, weight=data.weights)
    if RELEASE >= (1, 4):
        return xgboost.DMatrix(data.features, label=data.labels, weight=data.weights, qid=data.groups)
    matrix = xgboost.DMatrix(data.features, label=data.labels, weight=data.weights)
    starts = np.flatnonzero(np.diff(data.groups, prepend=data.groups[:1] - 1))
    matrix.set_group(np.diff(starts, append=len(data.groups)))
    return matrix


def _read_parquet(paths: list[str]) -> "xgboost.DMatrix":
    try:
        parquet = import_module("pyarrow.parquet")
    except ImportError:
        raise UserError("Failed to load parquet data: it needs pyarrow, which is not installed.") from None
    tables = [parquet.read_table(path) for path in paths]
    columns: list[NDArray[Any]] = [
        np.concatenate([table.column(index).to_numpy() for table in tables]) for index in range(tables[0].num_columns)
    ]
    table = np.column_stack(columns).astype(np.float32)
    return xgboost.DMatrix(table[:, 1:], label=table[:, 0])


def _read_recordio(paths: list[str]) -> "xgboost.DMatrix | None":
    parts = []
    for path in paths:
        with open(path, "rb") as file:
            data = file.read()
        if data:
            parts.append(read_recordio(data))
    if not parts:
        return None
    features = [part[0] for part in parts]
    dense = all(isinstance(part, np.ndarray) for part in features)
    stacked = np.vstack(features) if dense else vstack(features, format="csr")
    return xgboost.DMatrix(stacked, label=np.concatenate([part[1] for part in parts]))
