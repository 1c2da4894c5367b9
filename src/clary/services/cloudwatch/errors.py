"""Errors of the metrics operations, worded as the service words them."""

from clary.wire.errors import ServiceError


def bad_value(message: str) -> ServiceError:
    return ServiceError("InvalidParameterValue", message, 400)


def bad_combination(message: str) -> ServiceError:
    return ServiceError("InvalidParameterCombination", message, 400)


def missing(message: str) -> ServiceError:
    return ServiceError("MissingParameter", message, 400)
