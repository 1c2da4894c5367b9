"""One authenticated request, as a handler sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clary.records.record import Scope

if TYPE_CHECKING:
    from clary.control.house import House


@dataclass(frozen=True, slots=True)
class Call:
    house: House
    scope: Scope
    principal: str
    """ARN of the caller: `arn:aws:iam::123456789012:root` or an assumed role's."""
    access_key: str
    request_id: str
    endpoint: str
    """`http://host:port` as the client addressed it."""

    def arn(self, service: str, resource: str) -> str:
        """`arn:aws:<service>:<region>:<account>:<resource>`, e.g. `training-job/abalone`."""
        return f"arn:aws:{service}:{self.scope.region}:{self.scope.account}:{resource}"
