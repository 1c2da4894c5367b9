"""Errors of SNS, worded as the service words them."""

from clary.wire.errors import ServiceError


def invalid(name: str, why: str) -> ServiceError:
    return ServiceError("InvalidParameterException", f"Invalid parameter: {name} Reason: {why}")


def not_built(name: str, what: str) -> ServiceError:
    return invalid(name, f"{what} is not built in Clary yet.")


def no_such(what: str) -> ServiceError:
    return ServiceError("NotFoundException", f"{what} does not exist")
