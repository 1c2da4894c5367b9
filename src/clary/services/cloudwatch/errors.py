"""Errors of the metrics operations, worded as the service words them."""

from collections.abc import Iterator
from contextlib import contextmanager

from clary.wire.errors import ServiceError


def bad_value(message: str) -> ServiceError:
    return ServiceError("InvalidParameterValue", message, 400)


def bad_combination(message: str) -> ServiceError:
    return ServiceError("InvalidParameterCombination", message, 400)


def missing(message: str) -> ServiceError:
    return ServiceError("MissingParameter", message, 400)


@contextmanager
def as_validation_errors() -> Iterator[None]:
    """GetMetricData, younger than the others, has one code for whatever is wrong with its parameters."""
    try:
        yield
    except ServiceError as error:
        raise ServiceError("ValidationError", error.message, 400) from None
