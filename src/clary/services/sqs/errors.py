"""Errors of SQS, with the codes of the protocol that it spoke before: clients still tell them apart by these."""

from clary.wire.errors import ServiceError

_PREFIXED = frozenset(
    {
        "BatchEntryIdsNotDistinct",
        "BatchRequestTooLong",
        "EmptyBatchRequest",
        "InvalidBatchEntryId",
        "MessageNotInflight",
        "PurgeQueueInProgress",
        "TooManyEntriesInBatchRequest",
        "UnsupportedOperation",
    }
)
_RENAMED = {"QueueDoesNotExist": "AWS.SimpleQueueService.NonExistentQueue", "QueueNameExists": "QueueAlreadyExists"}


def refusal(name: str, message: str, status: int = 400) -> ServiceError:
    """`name` is that of a shape of the model, or a code of its own."""
    error = ServiceError(name, message, status)
    error.query_code = f"AWS.SimpleQueueService.{name}" if name in _PREFIXED else _RENAMED.get(name, name)
    return error


def no_such_queue() -> ServiceError:
    return refusal("QueueDoesNotExist", "The specified queue does not exist.")


def not_built(what: str) -> ServiceError:
    return refusal("UnsupportedOperation", f"{what} is not built in Clary yet.")
