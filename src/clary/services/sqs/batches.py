"""What is asked of up to ten messages in one request; each is answered for itself."""

import re
from collections.abc import Callable
from typing import Any

from clary.services.sqs.errors import refusal
from clary.wire.errors import ServiceError

MOST = 10
_ID = re.compile(r"[\w-]{1,80}", re.ASCII)


def entries_of(request: dict[str, Any]) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = request["Entries"]
    if not entries:
        raise refusal("EmptyBatchRequest", "There should be at least one entry in the request.")
    if len(entries) > MOST:
        message = f"Maximum number of entries per request are {MOST}. You have sent {len(entries)}."
        raise refusal("TooManyEntriesInBatchRequest", message)
    ids = [entry["Id"] for entry in entries]
    if not all(map(_ID.fullmatch, ids)):
        message = "A batch entry id can only contain up to 80 alphanumeric characters, hyphens and underscores."
        raise refusal("InvalidBatchEntryId", message)
    if len(set(ids)) < len(ids):
        raise refusal("BatchEntryIdsNotDistinct", "Two or more batch entries in the request have the same Id.")
    return entries


def answer_each(
    entries: list[dict[str, Any]], answer: Callable[[dict[str, Any]], dict[str, Any]]
) -> dict[str, list[dict[str, Any]]]:
    """`Successful` and `Failed`."""
    successful, failed = [], []
    for entry in entries:
        try:
            successful.append({"Id": entry["Id"], **answer(entry)})
        except ServiceError as error:
            failed.append(
                {
                    "Id": entry["Id"],
                    "SenderFault": True,
                    "Code": error.query_code or error.code,
                    "Message": error.message,
                }
            )
    return {"Successful": successful, "Failed": failed}
