"""How a service's operations are found: `@operation("CreateTrainingJob")` over a function of plain dicts.

Each service package holds one `Operations`; importing its `api` modules fills it. The gateway is handed the
merged table and never imports a service.
"""

import inspect
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

from clary.control.call import Call
from clary.records.errors import Stale

Handler = Callable[[Call, dict[str, Any]], dict[str, Any] | None | Awaitable[dict[str, Any] | None]]
"""`(call, request) -> response`. A plain function runs on a worker thread and may block on SQL or disk;
an `async def` runs on the event loop and may not."""

ATTEMPTS = 10
"""Times that a handler is run when a reconciler changes the record that it loaded under its hands."""


class Operations:
    """The operations of one service that are built, by name. `service` is botocore's name for it."""

    def __init__(self, service: str) -> None:
        self.service = service
        self.handlers: dict[str, Handler] = {}

    def __call__(self, name: str) -> Callable[[Handler], Handler]:
        def register(handler: Handler) -> Handler:
            if name in self.handlers:
                raise ValueError(f"{self.service}: {name} is registered twice")
            self.handlers[name] = handler if inspect.iscoroutinefunction(handler) else _decide_anew(handler)
            return handler

        return register


def _decide_anew(handler: Handler) -> Handler:
    """A handler that loads, decides and applies is run again where its record was changed in between."""

    @wraps(handler)
    def run(call: Call, request: dict[str, Any]) -> Any:
        for _ in range(ATTEMPTS - 1):
            try:
                return handler(call, request)
            except Stale:
                continue
        return handler(call, request)

    return run
