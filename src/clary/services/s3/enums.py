"""Enumerations of the published model, which S3's handlers check: each has an error code of its own."""

from functools import cache

from clary.wire.models import service_model


@cache
def values_of(shape: str) -> frozenset[str]:
    return frozenset(service_model("s3").shape_for(shape).enum)
