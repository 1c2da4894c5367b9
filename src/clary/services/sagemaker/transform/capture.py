"""What a transform job captures: manifests of what it read and of what came of it, and ids in what it writes.

    <DestinationS3Uri>/input/yyyy/mm/dd/hh/<job>.manifest     [{"prefix": "s3://…/"}, "a.csv", …]
    <DestinationS3Uri>/output/yyyy/mm/dd/hh/<job>.manifest    [{"prefix": "s3://…/"}, "a.csv.out", …]

The hour is that of the job's start, in UTC ("Capture data from batch transform job"). How AWS calls the files it does
not say.
"""

import json
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from clary.control.house import House
from clary.records.record import Record
from clary.services.sagemaker.errors import JobError
from clary.services.sagemaker.instances.inputs import split_s3_uri

CONFIG = "DataCaptureConfig"


def inference_time(record: Record) -> str:
    """What is written beside each record's id; empty where none is wanted."""
    if not record.document.get(CONFIG, {}).get("GenerateInferenceId"):
        return ""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created))


def capture(house: House, record: Record, transformed: Iterable[tuple[str, str]]) -> None:
    """`transformed` has the `bucket/key` and the name of each object."""
    found = list(transformed)
    place = record.document["TransformOutput"]["S3OutputPath"].rstrip("/")
    _store(house, record, "input", [f"s3://{key}" for key, _ in found], [name for _, name in found])
    _store(house, record, "output", [f"{place}/{name}.out" for _, name in found], [f"{name}.out" for _, name in found])


def _store(house: House, record: Record, side: str, uris: list[str], names: list[str]) -> None:
    bucket, prefix = split_s3_uri(record.document[CONFIG]["DestinationS3Uri"])
    hour = time.strftime("%Y/%m/%d/%H", time.gmtime(record.created))
    key = "/".join(filter(None, (prefix.rstrip("/"), side, hour, f"{record.name}.manifest")))
    try:
        with tempfile.TemporaryDirectory(dir=house.settings.state) as directory:
            path = Path(directory, "manifest")
            path.write_text(json.dumps(_manifest(uris, names)))
            house.objects.adopt(bucket, key, path)
    except KeyError:
        raise JobError(f'ClientError: The bucket "{bucket}" of DestinationS3Uri does not exist.') from None


def _manifest(uris: list[str], names: list[str]) -> list[Any]:
    """Names are relative to a prefix that all have; where they have none, it is the bucket's."""
    roots = {uri.removesuffix(name) for uri, name in zip(uris, names, strict=True)}
    if len(roots) == 1:
        return [{"prefix": roots.pop()}, *names]
    bucket = "/".join(uris[0].split("/")[:3]) + "/" if uris else ""
    return [{"prefix": bucket}, *(uri.removeprefix(bucket) for uri in uris)]
