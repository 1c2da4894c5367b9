"""Files of a channel, compressed with gzip or not, line by line or record by record: each with where it stands."""

import gzip
import json
import mmap
import os
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, cast

from clary.algorithms.errors import UserError
from clary.toolkits.recordio_frames import Data, read_records, records_in

GZIP = b"\x1f\x8b"


def text_lines(path: str) -> Iterator[tuple[str, str]]:
    """Where each line stands that is not blank, `train.csv, line 3`, and the line. Raises `UserError` for what is no
    text."""
    name, number = os.path.basename(path), 0
    with _opened(path) as file:
        try:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield f"{name}, line {number}", line.decode()
        except UnicodeDecodeError as error:
            raise UserError(f"{name}, line {number} is no text of UTF-8: {error}") from error
        except (OSError, EOFError, zlib.error) as error:
            raise UserError(f"{name} cannot be read after line {number}: {error}") from error


def json_lines(path: str) -> Iterator[tuple[str, Any]]:
    """The same of JSON Lines: what each line says."""
    for where, line in text_lines(path):
        try:
            yield where, json.loads(line)
        except ValueError as error:
            raise UserError(f"{where} is no JSON: {error}") from error


def raw_records(path: str) -> Iterator[tuple[str, Data]]:
    """What each record of RecordIO holds, and where it stands: `train.rec: record 3`. Raises `UserError`.

    Those of a file are parts of it, which is mapped: it may be larger than memory.
    """
    name, number = os.path.basename(path), 0
    with _opened(path) as file:
        try:
            for number, record in enumerate(_records_of(file), 1):
                yield f"{name}: record {number}", record
        except (ValueError, OSError, EOFError, zlib.error) as error:
            raise UserError(f"{name}: record {number + 1}: {error}") from error


def _records_of(file: BinaryIO) -> Iterator[Data]:
    if isinstance(file, gzip.GzipFile) or not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        return read_records(file)
    return records_in(memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)))


@contextmanager
def _opened(path: str) -> Iterator[BinaryIO]:
    with open(path, "rb") as file:  # Once: it may be a pipe.
        yield cast(BinaryIO, gzip.GzipFile(fileobj=file)) if file.peek(2).startswith(GZIP) else file
