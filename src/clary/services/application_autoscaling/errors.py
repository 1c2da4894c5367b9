"""Errors of these operations, worded as the service words them."""

from typing import Any

from clary.wire.errors import ServiceError


def invalid(message: str) -> ServiceError:
    return ServiceError("ValidationException", message, 400)


def not_built(what: str) -> ServiceError:
    return invalid(f"{what} is not built in Clary yet.")


def no_target(request: dict[str, Any]) -> ServiceError:
    message = f"No scalable target registered for {described(request)}"
    return ServiceError("ObjectNotFoundException", message, 400)


def described(request: dict[str, Any]) -> str:
    return (
        f"service namespace: {request['ServiceNamespace']}, resource ID: {request['ResourceId']}, scalable dimension: "
        f"{request['ScalableDimension']}"
    )
