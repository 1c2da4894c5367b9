"""Time series as they come: JSON Lines, plain or gzipped, and Parquet.

    {"start": "2009-11-01 00:00:00", "target": [4.3, "NaN", 5.1], "cat": [0, 1], "dynamic_feat": [[1.1, 1.2, 0.5]]}

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/deepar.html.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clary.algorithms.errors import UserError
from clary.algorithms.kit.files import json_lines

Numbers = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Series:
    start: np.datetime64
    target: Numbers
    """NaN where a value is missing."""
    categories: tuple[int, ...] = ()
    dynamic: Numbers | None = None
    """(features, steps); of what is to be forecast, its steps come after those of the target."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What all series of a model have."""

    cardinality: tuple[int, ...] = ()
    """Categories of each categorical feature."""
    dynamic: int = 0

    def fit(self, series: Series, where: str, further: int = 0) -> Series:
        """The series as the model takes it; raises `UserError` where it has not what it must. `further` steps after the
        target have dynamic features, too."""
        if not self.cardinality:
            series = replace(series, categories=())
        elif len(series.categories) != len(self.cardinality):
            raise UserError(
                f"{where} has {len(series.categories)} values in cat, and {len(self.cardinality)} are needed."
            )
        for value, count in zip(series.categories, self.cardinality, strict=True):
            if not 0 <= value < count:
                raise UserError(f"{where} has the category {value} in cat, which must be from 0 to {count - 1}.")
        if not self.dynamic:
            return replace(series, dynamic=None)
        found = 0 if series.dynamic is None else len(series.dynamic)
        if series.dynamic is None or found != self.dynamic:
            raise UserError(f"{where} has {found} dynamic_feat, and {self.dynamic} are needed.")
        wanted = len(series.target) + further
        if series.dynamic.shape[1] != wanted:
            after = f", prediction_length ({further}) more than target" if further else ", as target has"
            raise UserError(
                f"{where} has dynamic_feat of {series.dynamic.shape[1]} values, and {wanted} are needed{after}."
            )
        return series


def read_series(paths: list[str], content_type: str) -> Iterator[tuple[str, Series]]:
    """Each series, and where it stands: `train.json, line 3`. Raises `UserError` for what is none."""
    for path in paths:
        name = os.path.basename(path)
        rows = _parquet(path, name) if content_type == "parquet" or _is_parquet(name) else json_lines(path)
        for where, row in rows:
            try:
                yield where, parse(row)
            except (ValueError, TypeError, KeyError) as error:
                raise UserError(f"{where}: {_reason(error)}") from error


def parse(row: Mapping[str, Any]) -> Series:
    """Raises `ValueError` that says what is wrong."""
    if not isinstance(row, Mapping):
        raise ValueError(f"{row!r:.100} is no object with start and target")
    for name in ("start", "target"):
        if row.get(name) is None:
            raise ValueError(f"there is no {name}")
    target = _numbers(row["target"], "target")
    if target.ndim != 1:
        raise ValueError("target is not a list of numbers")
    categories = row.get("cat")
    categories = [] if categories is None else [categories] if isinstance(categories, int) else list(categories)
    dynamic = row.get("dynamic_feat")
    features = None
    if dynamic is not None and len(dynamic):
        features = _numbers([list(each) for each in dynamic], "dynamic_feat")
        if not np.isfinite(features).all():
            raise ValueError("dynamic_feat has a missing value, which only target may have")
    return Series(_start(row["start"]), target, tuple(int(value) for value in categories), features)


def _numbers(values: Any, name: str) -> Numbers:
    """`null` and "NaN" are missing values."""
    try:
        numbers = np.array(values, dtype=np.float32)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{name} is not a list of numbers: {error}") from error
    if np.isinf(numbers).any():
        raise ValueError(f"{name} has an infinite value")
    return numbers


def _start(value: Any) -> np.datetime64:
    if isinstance(value, datetime):
        return np.datetime64(value.replace(tzinfo=None), "m")
    try:
        return np.datetime64(datetime.fromisoformat(value).replace(tzinfo=None), "m")
    except (ValueError, TypeError) as error:
        raise ValueError(f"start is {value!r}, and must be YYYY-MM-DD HH:MM:SS") from error


def _is_parquet(name: str) -> bool:
    return name.removesuffix(".gz").removesuffix(".snappy").endswith(".parquet")


def _parquet(path: str, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    from pyarrow import ArrowException, parquet

    number = 0
    try:
        batches = parquet.ParquetFile(path).iter_batches()
        for number, row in enumerate((row for batch in batches for row in batch.to_pylist()), 1):
            yield f"{name}, line {number}", row
    except ArrowException as error:
        raise UserError(f"{name} cannot be read as Parquet after row {number}: {error}") from error


def _reason(error: Exception) -> str:
    return f"there is no {error}" if isinstance(error, KeyError) else str(error)
