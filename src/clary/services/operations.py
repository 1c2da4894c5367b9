"""How a service's operations are found: `@operation("CreateTrainingJob")` over a function of plain dicts.

Each service package holds one `Operations`; importing its `api` modules fills it. The gateway is handed the
merged table and never imports a service.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from clary.services.call import Call

Handler = Callable[[Call, dict[str, Any]], dict[str, Any] | None | Awaitable[dict[str, Any] | None]]
"""`(call, request) -> response`. A plain function runs on a worker thread and may block on SQL or disk;
an `async def` runs on the event loop and may not."""


class Operations:
    """The operations of one service that are built, by name. `service` is botocore's name for it."""

    def __init__(self, service: str) -> None:
        self.service = service
        self.handlers: dict[str, Handler] = {}

    def __call__(self, name: str) -> Callable[[Handler], Handler]:
        def register(handler: Handler) -> Handler:
            if name in self.handlers:
                raise ValueError(f"{self.service}: {name} is registered twice")
            self.handlers[name] = handler
            return handler

        return register
