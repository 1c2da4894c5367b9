"""Arrays in the formats that every framework image speaks: CSV, JSON and NPY.

What each decoder makes of a body, shapes included, is what AWS's `sagemaker-containers` makes of it.
"""

import csv
import io
import json

import numpy as np
from numpy.typing import ArrayLike, NDArray

CSV = "text/csv"
JSON = "application/json"
NPY = "application/x-npy"
TEXT_TYPES = (CSV, JSON)
"""Bodies of these types reach the user's functions as `str`, all others as `bytes`."""

HINT = (
    "Please implement input_fn to to deserialize the request data or an output_fn to serialize the response. "
    "For more information, see the SageMaker Python SDK README."
)


class UnsupportedFormat(Exception):
    def __init__(self, content_type: str) -> None:
        super().__init__(f"Content type {content_type} is not supported by this framework.\n\n{HINT}")


def media_type(content_type: str) -> str:
    """`text/csv` of `Text/CSV; charset=utf-8`."""
    return content_type.partition(";")[0].strip().lower()


def decode(body: str | bytes, content_type: str) -> NDArray[np.generic]:
    kind = media_type(content_type)
    if kind == NPY:
        # Object arrays are what the SDK's serializer makes of mixed columns, and they travel pickled. The
        # caller's right to invoke the endpoint was checked before the body came here.
        return np.asarray(np.load(io.BytesIO(_bytes(body)), allow_pickle=True))
    if kind == JSON:
        return np.array(json.loads(body))
    if kind == CSV:
        rows = list(csv.reader(io.StringIO(_text(body)), strict=True))
        array = np.array(rows).squeeze()
        try:
            return array.astype(float)
        except ValueError:
            return array
    raise UnsupportedFormat(content_type)


def encode(array: ArrayLike, content_type: str) -> bytes:
    kind = media_type(content_type)
    if kind == NPY:
        buffer = io.BytesIO()
        np.save(buffer, np.asarray(array))
        return buffer.getvalue()
    if kind == JSON:
        return json.dumps(array, default=_to_list).encode()
    if kind == CSV:
        table = np.array(array)
        text = io.StringIO()
        rows = table.reshape(-1, 1) if table.ndim == 1 else table
        csv.writer(text, lineterminator="\n", strict=True).writerows(rows.tolist())
        return text.getvalue().encode()
    raise UnsupportedFormat(content_type)


def _to_list(value: object) -> object:
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def _text(body: str | bytes) -> str:
    return body if isinstance(body, str) else body.decode()


def _bytes(body: str | bytes) -> bytes:
    return body if isinstance(body, bytes) else body.encode()
