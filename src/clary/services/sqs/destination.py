"""Queues as those who take messages of other services: buckets, topics, endpoints."""

from typing import Any

from clary.arns import read_arn
from clary.control.destinations import NoDestination
from clary.control.house import House
from clary.messages.queue import Draft
from clary.policies.document import read
from clary.policies.judging import Question, Verdict, judge
from clary.records.record import Record
from clary.services.sqs.queues import queue_at, seconds


class Queues:
    def __init__(self, house: House) -> None:
        self._house = house

    def accepts(self, arn: str, source: str) -> bool:
        queue = queue_at(self._house, arn)
        return queue is not None and not denies(queue, "sqs:SendMessage", source)

    def deliver(self, arn: str, message: str, subject: str = "") -> None:  # noqa: ARG002 (queues know no subjects)
        self.put(arn, message, {})

    def put(self, arn: str, message: str, attributes: dict[str, Any]) -> None:
        queue = queue_at(self._house, arn)
        if queue is None:
            raise NoDestination(f"there is no queue {arn}")
        draft = Draft(message, attributes, {"SenderId": queue.scope.account}, seconds(queue, "DelaySeconds"))
        self._house.messages.send(queue.id, [draft], seconds(queue, "MessageRetentionPeriod"))


def denies(resource: Record, action: str, source: str) -> bool:
    """Whether the resource's policy denies `action` to the service that `source` is a resource of. As everywhere in
    Clary, what no policy denies is allowed."""
    text = resource.document.get("Policy")
    named = read_arn(source)
    if not text or named is None:
        return False
    context = {"aws:sourcearn": [source], "aws:sourceaccount": [named.account or resource.scope.account]}
    principals = frozenset({f"Service:{named.service}.amazonaws.com"})
    question = Question(principals, action, resource.arn, lambda key: context.get(key.lower()))
    return judge(read(text), question) is Verdict.DENY
