"""Where alarms deliver to that set off a scaling policy: the target is woken, and looks for itself."""

import re

from clary.arns import read_arn
from clary.control.destinations import NoDestination
from clary.control.house import House
from clary.records.query import Query
from clary.records.record import Record, Scope
from clary.services.application_autoscaling.targets import AT_ONCE, TARGETS


class Policies:
    def __init__(self, house: House) -> None:
        self._house = house

    def accepts(self, arn: str, source: str) -> bool:  # noqa: ARG002 - only alarms send here
        return self._target(arn) is not None

    def deliver(self, arn: str, message: str, subject: str = "") -> None:  # noqa: ARG002 - the alarm is looked at
        target = self._target(arn)
        if target is None:
            raise NoDestination(f"There is no scaling policy {arn}")
        self._house.supervisor.wake(TARGETS, target.id)

    def _target(self, arn: str) -> Record | None:
        read = read_arn(arn)
        if read is None or not re.match("scalingPolicy:", read.resource):
            return None
        scope = Scope(read.account, read.region)
        for record in self._house.records.list(TARGETS, scope, Query(max_results=AT_ONCE)).records:
            if any(policy["PolicyARN"] == arn for policy in record.document["Policies"].values()):
                return record
        return None
