"""Members of an invocation that would change what is done, and that are not built."""

from clary.services.sagemaker_runtime.invocation import Invocation
from clary.wire.errors import ServiceError

NOT_BUILT = (
    "EnableExplanations",
    "SessionId",
)


def refuse(invocation: Invocation) -> None:
    for member in NOT_BUILT:
        if member in invocation.request:
            raise ServiceError("ValidationError", f"{member} is not built in Clary yet.", 400)
