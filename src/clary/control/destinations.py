"""Where events go that a service tells of: the contract of those who take them.

No service of this Clary takes events yet. The one that does (SQS, SNS, Lambda, EventBridge) puts its `Destination` into
`House.destinations` under its name in ARNs, and with the first of them the events need an outbox in the transaction
of the change that they tell of: until then there is nobody to lose one.
"""

from typing import Any, Protocol


class Destination(Protocol):
    """Called from worker threads."""

    def accepts(self, arn: str, source: str) -> bool:
        """Whether there is such a destination, and its policy lets `source` (the ARN of a bucket) send to it."""
        ...

    def deliver(self, arn: str, event: dict[str, Any]) -> None:
        """Durable when it returns. `arn` is empty for EventBridge, whose default bus every account has."""
        ...
