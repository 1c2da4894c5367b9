"""What every S3 handler has in common: the store it works on, and S3's words for what goes wrong."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import wraps
from typing import Any

from clary.control.call import Call
from clary.objects.embedded import OWN_BUCKET, EmbeddedStore
from clary.objects.errors import StoreError, no_such_bucket
from clary.objects.sequel import followed_by
from clary.services.s3 import operation
from clary.services.s3.announcing import announce, must_tell
from clary.services.s3.authorization import authorize, conceal, must_ask
from clary.wire.credentials import PLATFORM
from clary.wire.errors import ServiceError

Handler = Callable[[EmbeddedStore, Call, dict[str, Any]], dict[str, Any] | None | Awaitable[dict[str, Any] | None]]

_UNSUPPORTED = {
    "SSECustomerAlgorithm": "server-side encryption with customer keys",
    "CopySourceSSECustomerAlgorithm": "server-side encryption with customer keys",
    "ObjectLockEventHold": "event holds",
    "WriteOffsetBytes": "appending to objects",
}


def s3_operation(name: str) -> Callable[[Handler], Handler]:
    """Register a handler, plain or `async def`, that is given the embedded store first, and calls that are allowed."""

    def register(handler: Handler) -> Handler:
        @wraps(handler)
        def answer(call: Call, request: dict[str, Any]) -> Any:
            with _as_service_errors():
                store = _store(call, request)
                if must_ask(store, call, request):
                    authorize(store, call, name, request)
                try:
                    with _announcing(store, call, name, request):
                        return handler(store, call, request)
                except StoreError as error:
                    conceal(store, call, name, request, error)
                    raise

        @wraps(handler)
        async def answer_async(call: Call, request: dict[str, Any]) -> Any:
            with _as_service_errors():
                store = _store(call, request)
                if must_ask(store, call, request):
                    await asyncio.to_thread(authorize, store, call, name, request)
                waiting: Any = handler(store, call, request)
                try:
                    with _announcing(store, call, name, request):
                        return await waiting
                except StoreError as error:
                    await asyncio.to_thread(conceal, store, call, name, request, error)
                    raise

        operation(name)(answer_async if inspect.iscoroutinefunction(handler) else answer)
        return handler

    return register


def _announcing(store: EmbeddedStore, call: Call, name: str, request: dict[str, Any]) -> AbstractContextManager[None]:
    if not must_tell(store, call, name, request):
        return nullcontext()
    return followed_by(lambda answer: announce(store, call, name, request, answer))


def _store(call: Call, request: dict[str, Any]) -> EmbeddedStore:
    store = call.house.objects
    if not isinstance(store, EmbeddedStore):
        endpoint = call.house.settings.s3_endpoint
        raise StoreError("NotImplemented", f"This Clary keeps its objects at {endpoint}: call S3 there.", 501)
    if request.get("Bucket") == OWN_BUCKET and call.principal != PLATFORM:
        raise no_such_bucket(OWN_BUCKET)
    for member, what in _UNSUPPORTED.items():
        if request.get(member) is not None:
            raise StoreError("NotImplemented", f"Clary does not do {what}.", 501)
    return store


@contextmanager
def _as_service_errors() -> Iterator[None]:
    try:
        yield
    except StoreError as error:
        answered = ServiceError(error.code, error.message, error.status, **error.fields)
        answered.answer = error.answer
        raise answered from error
