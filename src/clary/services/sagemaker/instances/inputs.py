"""From S3 URIs of a request to the files that an instance stages in."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from clary.control.house import House
from clary.control.reach import location
from clary.instance.spec import Source
from clary.objects.embedded import OWN_BUCKET
from clary.objects.errors import ObjectArchived
from clary.services.sagemaker.errors import JobError


def split_s3_uri(uri: str) -> tuple[str, str]:
    """`s3://bucket/a/b` → `("bucket", "a/b")`."""
    scheme, _, rest = uri.partition("://")
    bucket, _, key = rest.partition("/")
    if scheme != "s3" or bucket in ("", OWN_BUCKET):
        raise JobError(f"ClientError: {uri!r} is not an S3 URI of the form s3://bucket/key.")
    return bucket, key


def locate(house: House, uri: str) -> str:
    """Where an instance reads the one object that `uri` names."""
    bucket, key = split_s3_uri(uri)
    try:
        return _locate(house, bucket, key)
    except KeyError:
        raise JobError(f"ClientError: There is no S3 object {uri}.") from None


def prefix_sources(house: House, uri: str) -> list[Source]:
    """Every object whose key begins with the URI's, named relative to it.

    `s3://b/data/train` gives `a.csv` for the key `data/train/a.csv`, and its own base name for an object of
    exactly that key. A prefix that ends inside a name keeps the whole last segment.
    """
    return [source for _, source in _prefix_objects(house, uri)]


def sources_below(house: House, uri: str) -> list[Source]:
    """The same, where there may be none."""
    return [source for _, source in _objects_below(house, uri)]


def read_sources(house: House, kind: str, uri: str) -> list[Source]:
    """`kind` is the S3DataType: `S3Prefix` or `ManifestFile`."""
    return [source for _, source in read_objects(house, kind, uri)]


def read_objects(house: House, kind: str, uri: str) -> list[tuple[str, Source]]:
    """The same, each with its `bucket/key`."""
    return list(_manifest_objects(house, uri)) if kind == "ManifestFile" else _prefix_objects(house, uri)


def _prefix_objects(house: House, uri: str) -> list[tuple[str, Source]]:
    found = list(_objects_below(house, uri))
    if not found:
        raise JobError(
            f'ClientError: No S3 objects found under S3 URL "{uri}" given in input data source. Please ensure that '
            "the bucket exists and that objects exist under that S3 prefix."
        )
    return found


def _objects_below(house: House, uri: str) -> Iterator[tuple[str, Source]]:
    bucket, prefix = split_s3_uri(uri)
    try:
        for found in house.objects.list(bucket, prefix):
            name = _relative_name(found.key, prefix)
            if name:
                yield (
                    f"{bucket}/{found.key}",
                    Source(name, _locate(house, bucket, found.key), found.size, etag=found.etag),
                )
    except KeyError:
        raise JobError(f'ClientError: The bucket "{bucket}" of {uri} does not exist.') from None


def _locate(house: House, bucket: str, key: str) -> str:
    try:
        return location(house, bucket, key)
    except ObjectArchived as archived:
        raise JobError(f"ClientError: {archived} is archived: restore it first (RestoreObject).") from None


def _relative_name(key: str, prefix: str) -> str:
    if key == prefix:
        return key.rsplit("/", 1)[-1]
    if prefix.endswith("/") or not prefix:
        return key[len(prefix) :]
    if key.startswith(prefix + "/"):
        return key[len(prefix) + 1 :]
    return key[prefix.rfind("/") + 1 :]


def _manifest_objects(house: House, uri: str) -> Iterator[tuple[str, Source]]:
    """A manifest is a JSON list: `{"prefix": "s3://bucket/dir/"}` and then keys relative to it."""
    try:
        first, *names = json.loads(read_object(house, uri))
        base = first["prefix"]
    except KeyError:
        raise JobError(f"ClientError: The first entry of the S3 manifest {uri} has no prefix.") from None
    except (ValueError, TypeError):
        raise JobError(f"ClientError: The S3 manifest {uri} is not a JSON list of a prefix and keys.") from None
    for name in names:
        if not isinstance(name, str):
            raise JobError(f"ClientError: The S3 manifest {uri} has {json.dumps(name)[:100]} in place of a key.")
        yield f"{base}{name}".removeprefix("s3://"), Source(name, locate(house, f"{base}{name}"))


def augmented_items(house: House, uri: str, attributes: Sequence[str]) -> list[list[Source]]:
    """Of each line of an augmented manifest the named attributes in their order: an object's bytes for those that
    end in `-ref`, else what stands in the line ("Augmented Manifest Files for Training Jobs")."""
    return [
        [_attribute(house, uri, number, line, name) for name in attributes]
        for number, line in enumerate(_json_lines(house, uri), 1)
    ]


def _json_lines(house: House, uri: str) -> Iterator[dict[str, Any]]:
    for number, text in enumerate(read_object(house, uri).splitlines(), 1):
        try:
            line = json.loads(text) if text.strip() else None
        except ValueError:
            line = text
        if line is not None and not isinstance(line, dict):
            raise JobError(f"ClientError: Line {number} of the augmented manifest {uri} is not a JSON object.")
        if line is not None:
            yield line


def _attribute(house: House, uri: str, number: int, line: dict[str, Any], name: str) -> Source:
    where = f"{uri}, line {number}: {name}"
    if name not in line:
        raise JobError(f"ClientError: Line {number} of the augmented manifest {uri} has no attribute {name!r}.")
    value = line[name]
    if name.endswith("-ref"):
        return Source(where, locate(house, str(value)))
    return Source(where, "", text=value if isinstance(value, str) else json.dumps(value))


def read_object(house: House, uri: str) -> bytes:
    """The bytes of the one small object that `uri` names."""
    bucket, key = split_s3_uri(uri)
    try:
        return house.objects.read(bucket, key)
    except KeyError:
        raise JobError(f"ClientError: There is no S3 object {uri}.") from None
    except ObjectArchived as archived:
        raise JobError(f"ClientError: {archived} is archived: restore it first (RestoreObject).") from None
