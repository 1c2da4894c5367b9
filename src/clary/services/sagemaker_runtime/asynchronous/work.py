"""One asynchronous invocation, on a worker thread, from its input to its output and what is told of that."""

import io
import logging
import os
import time
import urllib.request
from base64 import b64decode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

from clary.control.destinations import NoDestination, publish
from clary.control.house import House
from clary.messages import queue as queues
from clary.messages.queue import Message
from clary.objects.errors import ObjectArchived
from clary.records.record import Scope
from clary.services.sagemaker.errors import JobError
from clary.services.sagemaker.instances.inputs import split_s3_uri
from clary.services.sagemaker_runtime.asynchronous.exchange import Answered, Body, NoAnswer, TooLate, exchange
from clary.services.sagemaker_runtime.asynchronous.measures import keep_request
from clary.services.sagemaker_runtime.asynchronous.outcome import LARGEST_INCLUDED, Outcome, notification, topic_of
from clary.services.sagemaker_runtime.asynchronous.request import AsyncRequest
from clary.services.sagemaker_runtime.sending import PASSED_ON

log = logging.getLogger(__name__)

ATTEMPTS = 3
"""Replicas that are asked, one after another, where each breaks off: what kills three would kill the next."""
_RETRY_AFTER = 1.0


class Failed(Exception):
    """The invocation fails for this reason, and tells `metric` of it."""

    def __init__(self, reason: str, metric: str = "") -> None:
        super().__init__(reason)
        self.metric = metric


class Work:
    """One receipt of one request."""

    def __init__(self, house: House, scope: Scope, queue: str, message: Message, variant: str) -> None:
        self._house = house
        self._scope = scope
        self._queue = queue
        self._message = message
        self._variant = variant
        self._request = AsyncRequest.load(message.body)
        self._answer = house.settings.answers_dir / f"{message.id}-{uuid4().hex}"
        self._measured: dict[str, float] = {}

    def do(self, addresses: Sequence[str]) -> None:
        """Ask the containers of one replica, in order. A request that none answered is seen again later."""
        self._answer.parent.mkdir(parents=True, exist_ok=True)
        try:
            outcome = self._outcome(addresses)
        except NoAnswer as error:
            if self._message.receipt.receives < ATTEMPTS:
                log.warning("asynchronous invocation %s is tried again: %s", self._request.inference_id, error)
                self._house.messages.hide(self._queue, self._message.receipt, _RETRY_AFTER)
                return
            reason = "InternalServerError: The container closed the connection before it had answered."
            outcome = self._failure(Failed(reason, "InvocationModelErrors"))
        finally:
            for leftover in self._answer.parent.glob(f"{self._answer.name}*"):
                leftover.unlink(missing_ok=True)
        self._settle(outcome)

    def _outcome(self, addresses: Sequence[str]) -> Outcome:
        waited = time.time() - self._message.sent
        self._measured["TimeInBacklog"] = waited * 1e3
        if waited > self._request.ttl:
            return self._failure(Failed("ClientError: The request expired before it was processed.", "ExpiredRequests"))
        try:
            return self._answered(self._ask(addresses))
        except Failed as failed:
            return self._failure(failed)

    def _ask(self, addresses: Sequence[str]) -> Answered:
        """The containers in their order, each with what the one before has answered; the last is told what is
        accepted."""
        deadline = time.monotonic() + self._request.timeout
        members = {**self._request.members, "InferenceId": self._request.inference_id}
        accept = members.pop("Accept", "")
        *others, last = addresses
        with self._input() as (body, content_type):
            members.setdefault("ContentType", content_type)
            if not others:
                return self._exchange(last, body, {**members, "Accept": accept}, deadline)
            answered = self._exchange(others[0], body, members, deadline)
        for address in (*others[1:], last):
            if answered.status >= 300:
                break
            given = self._answer.rename(f"{self._answer}.given")
            members |= {"ContentType": answered.content_type, **({"Accept": accept} if address == last else {})}
            with given.open("rb") as file:
                answered = self._exchange(address, Body(file, given.stat().st_size), members, deadline)
        return answered

    def _exchange(self, address: str, body: Body, members: dict[str, str], deadline: float) -> Answered:
        headers = [(header, members[member]) for header, member in PASSED_ON if members.get(member)]
        began = time.perf_counter()
        try:
            return exchange(address, "/invocations", body, headers, self._answer, deadline)
        except TooLate:
            message = f"ClientError: The model did not answer within {self._request.timeout:.0f} seconds."
            raise Failed(message, "InvocationModelErrors") from None
        finally:
            spent = (time.perf_counter() - began) * 1e6
            self._measured["ModelLatency"] = self._measured.get("ModelLatency", 0.0) + spent

    @contextmanager
    def _input(self) -> Iterator[tuple[Body, str]]:
        """What is sent, and its type as far as its object knows that."""
        if not self._request.input:
            content = b64decode(self._request.body)
            yield Body(io.BytesIO(content), len(content)), ""
            return
        began = time.perf_counter()
        try:
            bucket, key = split_s3_uri(self._request.input)
            info = self._house.objects.find(bucket, key)
            place = self._house.objects.locate(bucket, key)
        except (JobError, KeyError, ObjectArchived) as error:
            reason = f"ClientError: The input {self._request.input} cannot be read: {error}"
            raise Failed(reason, "RequestDownloadFailures") from None
        with urllib.request.urlopen(f"file://{quote(place)}" if place.startswith("/") else place) as file:
            self._measured["RequestDownloadLatency"] = (time.perf_counter() - began) * 1e6
            yield Body(file, info.size), info.content_type

    def _answered(self, answered: Answered) -> Outcome:
        if answered.status < 300:
            return self._store(self._request.output, answered.content_type)
        whose, code = ("client", "4XX") if answered.status < 500 else ("server", "5XX")
        self._measured[f"Invocation{code}Errors"] = 1.0
        reason = (
            f"ClientError: Received {whose} error ({answered.status}) from model. See the SageMaker Endpoint logs in "
            "your account for more information."
        )
        return self._failure(Failed(reason, "InvocationModelErrors"), answered.content_type)

    def _failure(self, failed: Failed, content_type: str = "") -> Outcome:
        """What a failure leaves: what the model said of it, or else the reason."""
        self._measured["InvocationFailures"] = 1.0
        if failed.metric:
            self._measured[failed.metric] = 1.0
        if not self._request.failure:
            return Outcome(str(failed))
        if not self._answer.exists():
            self._answer.write_text(str(failed))
        try:
            return self._store(self._request.failure, content_type, str(failed))
        except Failed as error:
            return Outcome(f"{failed} {error}")

    def _store(self, uri: str, content_type: str, failure: str = "") -> Outcome:
        small = self._answer.stat().st_size <= LARGEST_INCLUDED
        content = self._answer.read_bytes() if small else None
        began = time.perf_counter()
        try:
            self._house.objects.adopt(*split_s3_uri(uri), self._answer, content_type=content_type)
        except (JobError, KeyError) as error:
            raise Failed(f"ClientError: {uri} cannot be written: {error}", "ResponseUploadFailures") from None
        self._measured["ResponseUploadLatency"] = (time.perf_counter() - began) * 1e6
        return Outcome(failure, content_type, uri, content)

    def _settle(self, outcome: Outcome) -> None:
        house, request = self._house, self._request
        measured = {
            **self._measured,
            "InvocationsProcessed": 1.0,
            "TotalProcessingTime": (time.time() - self._message.sent) * 1e3,
        }
        with house.records.together():
            if topic := topic_of(request, outcome):
                told = notification(request, outcome, self._scope.region, self._message.sent)
                try:
                    publish(house, topic, told)
                except NoDestination as error:
                    log.warning("endpoint %s: a notification is lost: %s", request.endpoint, error)
                    measured["NotificationFailures"] = 1.0
            keep_request(house, self._scope, request.endpoint, self._variant, measured)
            house.messages.change(partial(queues.remove, queue=self._queue, receipt=self._message.receipt))


def clear_leftovers(directory: Path) -> None:
    """What answers a killed platform was writing; those requests are seen again."""
    if directory.exists():
        for name in os.listdir(directory):
            (directory / name).unlink(missing_ok=True)
