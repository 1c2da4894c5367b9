"""Who calls the registry: HTTP Basic, as `docker login` has it.

    GetAuthorizationToken ─▶ base64("AWS:<password>") ─▶ docker login ─▶ Authorization: Basic … ─▶ admit ─▶ Ticket

The password says for whom, in which region and until when it holds, and nothing of it is kept. It is taken as a Bearer
token too, and from the query of a URL that was given out for one blob.
"""

import base64
import binascii

from clary.wire.credentials import KeyRing, Ticket
from clary.wire.errors import ServiceError
from clary.wire.http import Request
from clary.wire.routes import decode_query

USER = "AWS"
URL_PARAMETER = "access_token"


def admit(request: Request, keys: KeyRing, now: float) -> Ticket:
    """Raises `UNAUTHORIZED`, to which the answer says how one logs in (`challenge`)."""
    scheme, _, given = request.headers.get("authorization").partition(" ")
    if scheme.lower() == "basic":
        user, _, password = _decoded(given).partition(":")
        password = password if user == USER else ""
    elif scheme.lower() == "bearer":
        password = given.strip()
    else:
        password = decode_query(request.query).get(URL_PARAMETER, "")
    if not password:
        raise _unauthorized("Log in as AWS with the password that GetAuthorizationToken gives.")
    ticket = keys.open_password(password)
    if ticket is None or (ticket.path and (request.method, request.path) != ("GET", ticket.path)):
        raise _unauthorized("The password is not one of this registry's.")
    if now >= ticket.until:
        raise _unauthorized("Your authorization token has expired. Reauthenticate and try again.")
    return ticket


def challenge(request: Request) -> str:
    """What a client is told that has to log in."""
    host = request.headers.get("host").replace('"', "")
    return f'Basic realm="http://{host}/",service="ecr.amazonaws.com"'


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        return ""


def _unauthorized(message: str) -> ServiceError:
    return ServiceError("UNAUTHORIZED", message, 401)
