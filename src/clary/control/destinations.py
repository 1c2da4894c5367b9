"""Where messages go that a service has for others: the contract of those who take them.

    events of S3, alarms, ends of asynchronous invocations ─▶ publish ─▶ Destination.deliver ─▶ messages (a room)

A destination's service puts it into `House.destinations` under its name in ARNs. To deliver is to write into the
database, so that a message may be part of the transaction of what it tells of.
"""

from typing import TYPE_CHECKING, Protocol

from clary.arns import read_arn

if TYPE_CHECKING:
    from clary.control.house import House


class NoDestination(Exception):
    """There is nobody at that ARN. The message says which."""


class Destination(Protocol):
    """Called from worker threads."""

    def accepts(self, arn: str, source: str) -> bool:
        """Whether there is such a destination, and its policy lets `source` (the ARN of a bucket) send to it."""
        ...

    def deliver(self, arn: str, message: str, subject: str = "") -> None:
        """Durable when it returns, or with the transaction that it is called within. `arn` is empty for EventBridge,
        whose default bus every account has. Raises `NoDestination`."""
        ...


def publish(house: "House", arn: str, message: str, subject: str = "") -> None:
    """Send a message to the topic or queue of that ARN. Raises `NoDestination`."""
    named = read_arn(arn)
    destination = house.destinations.get(named.service) if named else None
    if destination is None:
        raise NoDestination(f"{arn} names nothing that takes messages here")
    destination.deliver(arn, message, subject)
