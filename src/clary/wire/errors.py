"""An error as an AWS service answers it: a code, a message and an HTTP status."""

from typing import Any


class ServiceError(Exception):
    """Raised by handlers and by the wire; serialised by the protocol of the call.

    `code` is the modelled error shape's name or error code (`ResourceNotFound`, `NoSuchKey`,
    `ValidationException`). `status` is left to the model's `httpStatusCode`, else 400, when None.
    `fields` are further members of the modelled error shape (`OriginalStatusCode` …).
    """

    def __init__(self, code: str, message: str, status: int | None = None, **fields: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.fields = fields
        self.answer: dict[str, Any] = {}
        """Members of the operation's own output that REST sends in headers although the call is refused: the
        `ETag` of what was not modified."""
        self.query_code = ""
        """The code that the service had for it in the query protocol, where the model has forgotten that."""
