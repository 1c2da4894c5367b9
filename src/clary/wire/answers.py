"""The few answers that the server gives by itself, before or in place of the gateway's."""

import logging
import uuid

from clary.wire.http import BodyError, BodyTimeout, BodyTooLarge, Request, Response

log = logging.getLogger(__name__)


def plain(status: int, text: str) -> Response:
    return Response(status, [("content-type", "text/plain; charset=utf-8")], text.encode())


def unreadable(error: BodyError) -> Response:
    status = 413 if isinstance(error, BodyTooLarge) else 408 if isinstance(error, BodyTimeout) else 400
    return plain(status, str(error))


def crashed(request: Request) -> Response:
    """For what the gateway could not turn into an AWS error; called while the exception is handled."""
    request_id = str(uuid.uuid4())
    log.exception("%s %s failed, request id %s", request.method, request.path, request_id)
    response = plain(500, f"Internal failure. The server's log has the reason under request id {request_id}.")
    response.headers.append(("x-amzn-RequestId", request_id))
    return response
