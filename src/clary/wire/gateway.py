"""The request path: what every call goes through, in order.

    Request → identify → authenticate → parse → validate → dispatch → serialise → Response

The order matters: the scope of the signature says which service is meant, so a call is identified before it is
authenticated; nothing of a body is interpreted before its signature was verified; a handler never sees a
request that the published model does not allow. Whatever goes wrong is answered in the protocol of the call.

Browsers ask before they let a script of another site call S3: that question (`OPTIONS`) takes a way of its own, and
every answer to such a script tells its browser who may see it (`crossorigin.py`). A form that a browser sends to a
bucket goes through the steps as the PutObject that it is (`postform.py`).
"""

import asyncio
import inspect
import logging
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any

from clary.wire import refusals
from clary.wire.credentials import NOBODY, Identity, KeyRing, Ticket
from clary.wire.crossorigin import CrossOrigin, answer_preflight, tell_scripts
from clary.wire.errors import ServiceError
from clary.wire.http import Body, BodyError, BodyTooLarge, Request, Response
from clary.wire.identify import Identified, has_form, identify, may_be_anonymous, protocol_of
from clary.wire.origin import Origin
from clary.wire.parse import parse
from clary.wire.passwords import admit
from clary.wire.payload import check_md5, guarded
from clary.wire.postform import Posted, PostedSignature, answer_posted, posts_form, read_posted, verify_posted
from clary.wire.serialize import serialize, serialize_error
from clary.wire.sigv2 import PresignedUrl, read_url, verify_url
from clary.wire.sigv4 import Presented, read_scope, verify
from clary.wire.unserved import is_unserved, refusal
from clary.wire.validate import validate

log = logging.getLogger(__name__)

MAX_BODY = 16 << 20
MAX_BODIES = {"sagemaker-runtime": 6 << 20, "distribution": 4 << 20, "ecr": 32 << 20}
"""Bytes of a body that is read whole; what AWS documents for invocations and for manifests, generous for the rest (a
part of a layer has up to 20 MiB, and is sent as base64)."""

ANONYMOUS_REGION = "us-east-1"

Handler = Callable[[Any, dict[str, Any]], dict[str, Any] | None | Awaitable[dict[str, Any] | None]]


@dataclass(frozen=True, slots=True)
class Authenticated:
    """Who calls, from where and for which region."""

    arn: str | None
    """Of an assumed role's session; None for the account itself."""
    access_key: str
    region: str
    request_id: str
    endpoint: str
    origin: Origin
    began: float
    """When the head of the request was there, by `time.perf_counter`."""


@dataclass(slots=True)
class Exchange:
    """One call on its way; each step fills in what the later ones need."""

    request: Request
    request_id: str
    began: float
    presented: Presented | PresignedUrl | PostedSignature | None = None
    ticket: Ticket | None = None
    """The password that a client of the registry logged in with."""
    posted: Posted | None = None
    """The form that a browser sent, where it did."""
    found: Identified | None = None
    body: bytes | Body = b""
    identity: Identity | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    result: dict[str, Any] | None = None

    @property
    def operation(self) -> Identified:
        assert self.found is not None
        return self.found


class Gateway:
    """`Gateway(...)(request)` answers one request; it never raises.

    `handlers` is by (botocore's service name, operation). `make_call` turns who calls into what handlers get as
    their first argument. Plain handlers run on `executor`, coroutines on the loop. `passes` says of an exception
    that no handler caught whether the client should try again. `cross_origin` knows what scripts of other sites may.
    """

    def __init__(
        self,
        handlers: Mapping[tuple[str, str], Handler],
        keys: KeyRing,
        make_call: Callable[[Authenticated], Any],
        executor: Executor,
        passes: Callable[[Exception], bool] = lambda _error: False,
        cross_origin: CrossOrigin | None = None,
    ) -> None:
        self._handlers = {key: (handler, inspect.iscoroutinefunction(handler)) for key, handler in handlers.items()}
        self._keys = keys
        self._make_call = make_call
        self._executor = executor
        self._passes = passes
        self._cross_origin = cross_origin
        self._steps: tuple[Callable[[Exchange], Awaitable[None]], ...] = (
            # First, because the service decides how its errors read and how its bodies are signed.
            self._identify,
            # Before anything of the body is interpreted.
            self._authenticate,
            self._parse,
            # Handlers rely on it: a request that reaches them is one that the model allows.
            self._validate,
            self._dispatch,
        )

    async def __call__(self, request: Request) -> Response:
        exchange = Exchange(request, _request_id(), time.perf_counter())
        response = await self._answer(exchange)
        if "origin" in request.headers and self._cross_origin and exchange.found and exchange.found.service == "s3":
            tell_scripts(self._cross_origin, request, response)
        return response

    async def _answer(self, exchange: Exchange) -> Response:
        request = exchange.request
        try:
            if request.method == "OPTIONS" and self._cross_origin:
                return answer_preflight(self._cross_origin, request)
            for step in self._steps:
                await step(exchange)
            found = exchange.operation
            response = serialize(found.operation, found.protocol, exchange.result, exchange.request_id)
            return answer_posted(exchange.posted, request, response) if exchange.posted else response
        except ServiceError as error:
            return self._answer_error(exchange, error)
        except BodyTooLarge as error:
            return self._answer_error(exchange, _too_large(exchange, error))
        except BodyError as error:
            return self._answer_error(exchange, ServiceError("RequestTimeout", str(error), 400))
        except Exception as error:
            return self._answer_error(exchange, self._internal(exchange, error))

    async def _identify(self, exchange: Exchange) -> None:
        request = exchange.request
        exchange.presented = read_scope(request) or read_url(request)
        if exchange.presented is None and posts_form(request):
            # Its signature is among its fields, which come first and are few.
            exchange.posted = posted = await read_posted(request)
            exchange.found, exchange.presented, exchange.body = posted.found, posted.presented, posted.body
            return
        signing_name = exchange.presented.service if exchange.presented else None
        if is_unserved(request, signing_name):
            raise await asyncio.to_thread(refusal, request, signing_name)
        form = await request.body.read(MAX_BODY) if has_form(request) else b""
        exchange.found = identify(request, signing_name, form)
        exchange.body = form

    async def _authenticate(self, exchange: Exchange) -> None:
        request, found, presented = exchange.request, exchange.operation, exchange.presented
        if found.protocol == "oci":  # container tools do not sign: they log in
            exchange.ticket = admit(request, self._keys, time.time())
            exchange.identity = exchange.ticket.identity
            limit = MAX_BODIES[found.service]
            exchange.body = request.body if found.streams_body else await request.body.read(limit)
            return
        signing_name = found.operation.service_model.signing_name
        if presented is None:
            if not may_be_anonymous(found, request):
                raise refusals.unsigned(found.service)
            exchange.identity = NOBODY
            if exchange.posted is None:
                exchange.body = request.body if found.streams_body else b""
            return
        if exchange.posted is not None:
            exchange.identity = verify_posted(exchange.posted, self._keys, time.time())
            return
        assert not isinstance(presented, PostedSignature)
        if presented.service != signing_name:
            raise refusals.wrong_service(signing_name, presented.service)
        limit = MAX_BODIES.get(found.service, MAX_BODY)
        if isinstance(presented, PresignedUrl):
            exchange.identity = verify_url(request, presented, self._keys, time.time())
            exchange.body = request.body if found.streams_body else await request.body.read(limit)
            return
        if found.service == "s3":
            # S3 signs what the body is announced to be; the body itself is checked as it streams.
            exchange.identity = verify(request, presented, self._keys, time.time(), None)
            body = guarded(request, presented, exchange.identity)
            exchange.body = body if found.streams_body else await body.read(limit)
            return
        if not exchange.body:
            exchange.body = await request.body.read(limit)
        assert isinstance(exchange.body, bytes)
        exchange.identity = verify(request, presented, self._keys, time.time(), exchange.body)

    async def _parse(self, exchange: Exchange) -> None:
        if exchange.operation.service == "s3" and isinstance(exchange.body, bytes):
            check_md5(exchange.request.headers, exchange.body)
        exchange.parameters = parse(exchange.operation, exchange.request, exchange.body)

    async def _validate(self, exchange: Exchange) -> None:
        validate(exchange.operation.operation, exchange.parameters)

    async def _dispatch(self, exchange: Exchange) -> None:
        found = exchange.operation
        known = self._handlers.get((found.service, found.operation.name))
        if known is None:
            raise _not_built(found)
        handler, is_coroutine = known
        call = self._make_call(self._caller(exchange))
        if is_coroutine:
            answer: Any = await handler(call, exchange.parameters)  # type: ignore[misc]
        else:
            loop = asyncio.get_running_loop()
            answer = await loop.run_in_executor(self._executor, handler, call, exchange.parameters)
        exchange.result = answer

    def _caller(self, exchange: Exchange) -> Authenticated:
        assert exchange.identity is not None
        presented, claimed = exchange.presented, exchange.presented or exchange.ticket
        return Authenticated(
            arn=exchange.identity.arn,
            access_key=exchange.identity.access_key,
            region=claimed.region if claimed else ANONYMOUS_REGION,
            request_id=exchange.request_id,
            endpoint=f"http://{exchange.request.headers.get('host')}",
            origin=Origin(exchange.request, presented),
            began=exchange.began,
        )

    def _internal(self, exchange: Exchange, error: Exception) -> ServiceError:
        """What the client is told of a failure that is not its own."""
        request, request_id = exchange.request, exchange.request_id
        if self._passes(error):
            log.warning("%s %s failed for now (request %s): %s", request.method, request.path, request_id, error)
            return refusals.unavailable(exchange.found.service if exchange.found else None)
        log.exception("%s %s failed (request %s)", request.method, request.path, request_id)
        message = f"An internal failure happened; the platform's log tells more under {request_id}."
        return ServiceError("InternalFailure", message, 500)

    def _answer_error(self, exchange: Exchange, error: ServiceError) -> Response:
        request, found = exchange.request, exchange.found
        signing_name = exchange.presented.service if exchange.presented else None
        protocol = found.protocol if found else protocol_of(request, signing_name)
        service = found.service if found else None
        operation = found.operation if found else None
        return serialize_error(protocol, service, error, request, exchange.request_id, operation)


def _request_id() -> str:
    """A random UUID as text, made a good deal quicker than `uuid.uuid4` does it."""
    digits = os.urandom(16).hex()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def _not_built(found: Identified) -> ServiceError:
    message = f"The operation {found.operation.name} of {found.service} is not built in Clary yet."
    if found.service == "s3":
        return ServiceError("NotImplemented", message, 501)
    return ServiceError("UnknownOperationException", message, 400)


def _too_large(exchange: Exchange, error: BodyTooLarge) -> ServiceError:
    if exchange.found is not None and exchange.found.service == "s3":
        return ServiceError("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size", 400)
    if exchange.found is not None and exchange.found.protocol == "oci":
        return ServiceError("SIZE_INVALID", f"the manifest is larger than {error.limit} bytes", 413)
    # InvokeEndpoint's callers see the bare status as the code, as from AWS.
    return ServiceError("413", f"HTTP content length exceeded {error.limit} bytes.", 413)
