"""One authenticated request, as a handler sees it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from clary.arns import global_arn, regional_arn
from clary.records.record import Scope

if TYPE_CHECKING:
    from clary.control.house import House
    from clary.wire.gateway import Authenticated
    from clary.wire.origin import Origin


@dataclass(frozen=True, slots=True)
class Call:
    house: House
    scope: Scope
    principal: str
    """ARN of the caller: the account's own (`…:iam::123456789012:root`) or an assumed role's; in S3 `anonymous` and
    `platform` too (`wire.credentials`)."""
    access_key: str
    request_id: str
    endpoint: str
    """`http://host:port` as the client addressed it."""
    origin: Origin
    began: float = field(default_factory=time.perf_counter)
    """When the call's head was there, by `time.perf_counter`."""

    @classmethod
    def of(cls, house: House, caller: Authenticated) -> Call:
        account = house.settings.account
        return cls(
            house=house,
            scope=Scope(account, caller.region),
            principal=caller.arn or global_arn("iam", caller.region, account, "root"),
            access_key=caller.access_key,
            request_id=caller.request_id,
            endpoint=caller.endpoint,
            origin=caller.origin,
            began=caller.began,
        )

    def arn(self, service: str, resource: str) -> str:
        """Of a resource in the call's region, e.g. `training-job/abalone`."""
        return regional_arn(service, self.scope.region, self.scope.account, resource)

    def global_arn(self, service: str, resource: str) -> str:
        """Of a resource of the account in every region, e.g. `role/Trainer` of `iam`."""
        return global_arn(service, self.scope.region, self.scope.account, resource)
