"""Requests of browsers on behalf of other sites (CORS): who answers them, and in which headers.

    OPTIONS + Origin, Access-Control-Request-Method ─▶ preflight ─▶ 200 with Access-Control-*, or 403
    any other S3 call + Origin                      ─▶ its answer, with what `allowed` adds

A preflight is not signed: a browser sends it before a script's request, which is. Source: the Fetch Standard,
section 3.2, and "OPTIONS object" in the S3 API Reference.
"""

from typing import Protocol

from clary.wire.errors import ServiceError
from clary.wire.http import Headers, Request, Response
from clary.wire.identify import s3_path
from clary.wire.routes import decode

Pairs = list[tuple[str, str]]
VARY = ("vary", "Origin, Access-Control-Request-Headers, Access-Control-Request-Method")


class CrossOrigin(Protocol):
    """Whoever knows the rules of buckets. Called on the event loop."""

    def preflight(self, bucket: str, origin: str, method: str, headers: list[str]) -> Pairs:
        """The headers that let the script's request pass; raises `ServiceError` where no rule does. `headers` are
        those that the script wants to send, in lower case."""
        ...

    def allowed(self, bucket: str, origin: str, method: str) -> Pairs:
        """The headers that let a script see an answer; none where no rule does."""
        ...


def answer_preflight(rules: CrossOrigin, request: Request) -> Response:
    """Raises `ServiceError`."""
    origin, method = request.headers.get("origin"), request.headers.get("access-control-request-method")
    if not origin:
        raise ServiceError("BadRequest", "Insufficient information. Origin request header needed.", 400)
    if not method:
        raise ServiceError("BadRequest", "Invalid Access-Control-Request-Method: null", 400)
    wanted = _listed(request.headers, "access-control-request-headers")
    found = rules.preflight(_bucket(request), origin, method, wanted)
    if wanted:
        found = [*found, ("access-control-allow-headers", ", ".join(wanted))]
    return Response(200, [*found, VARY])


def tell_scripts(rules: CrossOrigin, request: Request, response: Response) -> None:
    """Add to an answer what lets the script that asked see it."""
    found = rules.allowed(_bucket(request), request.headers.get("origin"), request.method)
    if found:
        response.headers += [*found, VARY]


def _bucket(request: Request) -> str:
    return decode(s3_path(request.headers, request.path).lstrip("/").partition("/")[0])


def _listed(headers: Headers, name: str) -> list[str]:
    values = ",".join(headers.all(name)).split(",")
    return [value.strip().lower() for value in values if value.strip()]
