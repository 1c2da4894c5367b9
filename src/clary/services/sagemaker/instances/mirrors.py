"""Directories that are stored below an S3 URI while an instance runs: where its agent POSTs their files, and what of
them is there already."""

from clary.control.house import House
from clary.control.reach import form
from clary.instance.spec import Mirror, Source
from clary.services.sagemaker.instances.inputs import sources_below, split_s3_uri


def mirror(house: House, directory: str, uri: str, seconds: float) -> Mirror:
    """For an instance that runs for at most `seconds`."""
    bucket, prefix = split_s3_uri(_as_directory(uri))
    url, fields = form(house, bucket, prefix, seconds)
    return Mirror(directory, url, prefix, fields)


def restored(house: House, uri: str) -> list[Source]:
    """The files that a mirror stored below `uri`; none at first."""
    return sources_below(house, _as_directory(uri))


def _as_directory(uri: str) -> str:
    """`s3://bucket/a` is a prefix of `s3://bucket/ab/c`, and no directory of it."""
    return f"{uri.rstrip('/')}/"
