"""Requests to a model as rows, and its answers, in the formats that AWS documents for all algorithms.

"Common data formats for inference" (docs.aws.amazon.com/sagemaker/latest/dg/cdf-inference.html) tells of requests, the
page of each algorithm of answers.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from clary.algorithms.kit.base import Columns
from clary.algorithms.kit.batches import Batch, join
from clary.algorithms.kit.channels import CSV, RECORDIO
from clary.algorithms.kit.reading import first_bad_line
from clary.toolkits.recordio import read_recordio
from clary.toolkits.recordio_writing import write_records
from clary.toolkits.tabular import read_csv_rows

JSON = "application/json"
JSONLINES = "application/jsonlines"


def read_request(body: bytes, media: str, width: int, parameters: Mapping[str, str] | None = None) -> Batch:
    """The rows of a request; raises `ValueError` for what cannot be read, `KeyError` for a media type that is unknown.

    `width` is that of the model's rows: sparse rows that say none have it. `parameters` are the content type's: of CSV
    `label_size`, how many columns come before the features, and `encoding`.
    """
    if media != CSV or not parameters:
        return READERS[media](body, width)
    batch = _read_csv(_in_utf8(body, parameters.get("encoding", "utf-8")), width)
    labels = parameters.get("label_size", "0")
    if not labels.isdigit():
        raise ValueError(f"label_size={labels} of its content type is no number")
    return Batch(batch.features[:, int(labels) :])


def write_answer(columns: Columns, media: str, answers: str) -> bytes:
    """`answers` is the member of a JSON answer that lists the rows'."""
    if media == JSON:
        return json.dumps({answers: _objects(columns)}).encode()
    return WRITERS[media](columns)


def _in_utf8(body: bytes, encoding: str) -> bytes:
    try:
        return body.decode(encoding).encode()
    except LookupError:
        raise ValueError(f"encoding={encoding} of its content type is not known") from None


def _read_csv(body: bytes, _width: int) -> Batch:
    text = body.decode()
    if not text.strip():
        return Batch(np.empty((0, 0), np.float32))
    try:
        with np.errstate(over="ignore"):  # What is too large becomes infinite, which is told of where rows are checked.
            return Batch(read_csv_rows(text))
    except ValueError as error:
        raise ValueError(first_bad_line(text.splitlines()) or str(error)) from error


def _read_recordio(body: bytes, width: int) -> Batch:
    features = read_recordio(body)[0]
    if not isinstance(features, np.ndarray) and features.shape[1] < width:
        features.resize(features.shape[0], width)
    return Batch(features)


def _read_json(body: bytes, width: int) -> Batch:
    content = json.loads(body)
    instances = content.get("instances") if isinstance(content, dict) else None
    if not isinstance(instances, list):
        raise ValueError('a JSON request is an object with the list "instances"')
    return _rows(instances, width)


def _read_jsonlines(body: bytes, width: int) -> Batch:
    return _rows(list(read_lines(body)), width)


def read_lines(body: bytes) -> Iterator[Any]:
    """The values of JSON Lines; raises `ValueError` that names the line."""
    for number, line in enumerate(body.splitlines(), 1):
        if line.strip():
            try:
                yield json.loads(line)
            except ValueError as error:
                raise ValueError(f"line {number} is no JSON: {error}") from error


def _rows(instances: list[Any], width: int) -> Batch:
    if not instances:
        return Batch(np.empty((0, 0), np.float32))
    vectors = [_vector(instance) for instance in instances]
    if all(isinstance(vector, list) for vector in vectors):
        first = len(vectors[0])
        for number, vector in enumerate(vectors):
            if len(vector) != first:
                raise ValueError(f"instance {number} has {len(vector)} features, and the first has {first}")
        return Batch(np.array(vectors, np.float32).reshape(len(vectors), -1))
    return join([_tensor(vector, width) for vector in vectors])


def _vector(instance: Any) -> Any:
    """The features of an instance: a list of numbers, or a tensor with `values`, `keys` and `shape`."""
    found = instance
    if isinstance(found, dict):
        found = found.get("data", found)
    if isinstance(found, dict):
        found = found.get("features", found)
    if isinstance(found, dict) and not found.get("keys") and "values" in found:
        found = found["values"]
    sparse = isinstance(found, dict) and all(isinstance(found.get(name), list) for name in ("keys", "values"))
    if not isinstance(found, list) and not sparse:
        raise ValueError(f'an instance has no "features": {json.dumps(instance)[:100]}')
    return found


def _tensor(vector: Any, width: int) -> Batch:
    from scipy.sparse import csr_matrix

    if isinstance(vector, list):
        return Batch(csr_matrix(np.array([vector], np.float32)))
    values, keys = np.array(vector["values"], np.float32), np.array(vector["keys"], np.int64)
    columns = int(np.prod(np.array(vector["shape"], np.int64))) if vector.get("shape") else width
    if len(keys) != len(values) or (len(keys) and not 0 <= keys.min() <= keys.max() < columns):
        raise ValueError(f"the keys of a sparse instance are as many as its values, and from 0 to {columns - 1}")
    return Batch(csr_matrix((values, keys, [0, len(keys)]), shape=(1, columns)))


def _write_jsonlines(columns: Columns) -> bytes:
    return "".join(f"{json.dumps(row)}\n" for row in _objects(columns)).encode()


def _write_csv(columns: Columns) -> bytes:
    table = np.hstack([values.reshape(len(values), -1) for values in columns.values()])
    return "".join(f"{','.join(map(str, row))}\n" for row in table.tolist()).encode()


def _write_recordio(columns: Columns) -> bytes:
    return write_records({}, {name: values.astype(np.float32) for name, values in columns.items()})


def _objects(columns: Columns) -> list[dict[str, Any]]:
    lists = [values.tolist() for values in columns.values()]
    return [dict(zip(columns, row, strict=True)) for row in zip(*lists, strict=True)]


READERS: Mapping[str, Callable[[bytes, int], Batch]] = {
    CSV: _read_csv,
    JSON: _read_json,
    JSONLINES: _read_jsonlines,
    RECORDIO: _read_recordio,
}
WRITERS: Mapping[str, Callable[[Columns], bytes]] = {
    JSONLINES: _write_jsonlines,
    CSV: _write_csv,
    RECORDIO: _write_recordio,
}
WRITTEN = (JSON, *WRITERS)
"""The first is what who asks for nothing gets."""
