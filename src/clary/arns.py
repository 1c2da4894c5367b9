"""Amazon Resource Names, made and read in this one place.

    arn:<partition>:<service>:<region>:<account>:<resource>

A region decides its partition (`cn-north-1` is of `aws-cn`), by the table that botocore ships. Services that are
the same in every region (iam, sts, s3) name none in their ARNs, but their partition is still the caller's.
"""

import re
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

import botocore
import orjson

_DEFAULT = "aws"


class Arn(NamedTuple):
    partition: str
    service: str
    region: str
    account: str
    resource: str

    def __str__(self) -> str:
        return ":".join(("arn", *self))


def read_arn(text: str) -> Arn | None:
    """The parts of an ARN; None where it is none."""
    prefix, *parts = text.split(":", 5)
    return Arn(*parts) if prefix == "arn" and len(parts) == len(Arn._fields) else None


def regional_arn(service: str, region: str, account: str, resource: str) -> str:
    return str(Arn(partition_of(region), service, region, account, resource))


def global_arn(service: str, region: str, account: str, resource: str) -> str:
    """Of a resource that is in no region; `region` is where it is spoken of. A bucket's has no `account` either."""
    return str(Arn(partition_of(region), service, "", account, resource))


@lru_cache(maxsize=256)
def partition_of(region: str) -> str:
    """`aws` for a region that no partition knows."""
    for partition, names, pattern in _partitions():
        if region in names or pattern.fullmatch(region):
            return partition
    return _DEFAULT


@cache
def _partitions() -> list[tuple[str, frozenset[str], re.Pattern[str]]]:
    published = orjson.loads((Path(botocore.__file__).parent / "data" / "partitions.json").read_bytes())
    return [
        (each["id"], frozenset(each["regions"]), re.compile(each["regionRegex"])) for each in published["partitions"]
    ]
