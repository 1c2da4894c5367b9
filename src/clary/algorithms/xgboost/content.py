"""The data formats of XGBoost on SageMaker, as named by a channel's or a request's content type."""

from email.message import Message
from functools import lru_cache
from typing import Literal

from clary.algorithms.errors import UserError

Format = Literal["csv", "libsvm", "parquet", "recordio-protobuf"]

FORMATS: dict[str, Format] = {
    "csv": "csv",
    "libsvm": "libsvm",
    "parquet": "parquet",
    "recordio-protobuf": "recordio-protobuf",
    "text/csv": "csv",
    "text/libsvm": "libsvm",
    "text/x-libsvm": "libsvm",
    "application/x-parquet": "parquet",
    "application/x-recordio-protobuf": "recordio-protobuf",
}


@lru_cache(maxsize=256)
def format_of(content_type: str | None) -> Format:
    """libsvm where none is named. `text/csv` may say `label_size=1`, and no other size."""
    if not content_type:
        return "libsvm"
    header = Message()
    header["content-type"] = content_type.lower()
    name = content_type.lower().partition(";")[0].strip()
    if name not in FORMATS:
        raise UserError(f"{content_type} is not an accepted ContentType: {', '.join(FORMATS)}.")
    if FORMATS[name] == "csv" and header.get_param("label_size", "1") != "1":
        raise UserError(
            f"{content_type} is not an accepted csv ContentType. Optional parameter label_size must be equal to 1"
        )
    return FORMATS[name]
