"""Queues and deliveries on each database, as they are when processes are slow, many, or gone."""

import threading
import time
from collections import Counter
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from clary.database import open_database, writing
from clary.messages import outbox
from clary.messages import queue as queues
from clary.messages.queue import DeadLetters, Draft, Receipt
from clary.messages.store import Messages
from clary.messages.tables import ROOM
from tests.database.schema import assert_migrations_match

KEPT = 3600.0


@pytest.fixture
def messages(url: str) -> Messages:
    return Messages(open_database(url))


def send(messages: Messages, *bodies: str, queue: str = "q", delay: float = 0.0) -> None:
    messages.send(queue, [Draft(body, delay=delay) for body in bodies], KEPT)


def bodies(messages: Messages, queue: str = "q", hidden: float = 60.0, **options: DeadLetters) -> list[str]:
    return [each.body for each in messages.receive(queue, 10, hidden, KEPT, **options)]


def test_migrations_lead_to_the_tables_of_the_code(tmp_path: Path) -> None:
    assert_migrations_match(ROOM, tmp_path)


def test_a_message_is_hidden_while_it_is_held_and_gone_once_it_is_removed(messages: Messages) -> None:
    send(messages, "a", "b")
    send(messages, "later", delay=60)
    first, second = messages.receive("q", 10, 0.0, KEPT)
    assert (first.body, second.body, first.receipt.receives) == ("a", "b", 1)
    again = messages.receive("q", 10, 60.0, KEPT)
    assert [each.receipt.receives for each in again] == [2, 2]
    assert again[0].first_received == first.first_received
    assert bodies(messages) == []
    assert messages.view(partial(queues.count, queue="q", now=time.time())) == (0, 2, 1)
    messages.remove("q", [first.receipt])  # another has received it since
    messages.remove("q", [again[1].receipt, Receipt(10**9, 1)])
    assert messages.hide("q", again[0].receipt, 0.0)
    assert not messages.hide("q", again[0].receipt, 0.0)
    assert bodies(messages) == ["a"]


def test_what_was_received_in_vain_is_buried(messages: Messages) -> None:
    send(messages, "poison")
    dead = DeadLetters("dead", 2, {"from": "q"})
    assert bodies(messages, hidden=0.0, dead=dead) == ["poison"]
    assert bodies(messages, hidden=0.0, dead=dead) == ["poison"]
    assert bodies(messages, hidden=0.0, dead=dead) == []
    [buried] = messages.receive("dead", 10, 0.0, KEPT)
    assert (buried.body, buried.system) == ("poison", {"from": "q"})


def test_what_is_too_old_goes(messages: Messages) -> None:
    send(messages, "old")
    time.sleep(0.01)
    messages.send("q", [Draft("new")], 0.005)
    assert bodies(messages) == ["new"]


def test_each_message_is_received_by_one_of_many(messages: Messages) -> None:
    send(messages, *(str(number) for number in range(60)))
    received: list[str] = []

    def drain() -> None:
        while found := bodies(messages):
            received.extend(found)

    threads = [threading.Thread(target=drain) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(received) == Counter(str(number) for number in range(60))


def test_a_message_is_part_of_the_transaction_that_it_is_sent_in(messages: Messages) -> None:
    told: list[str] = []
    with messages.arrivals.listening("q", lambda: told.append("q")):
        with suppress(LookupError), writing(messages._engine):
            send(messages, "never")
            raise LookupError
        assert (bodies(messages), told) == ([], [])
        with writing(messages._engine):
            send(messages, "once")
            assert not told
        assert (bodies(messages), told) == (["once"], ["q"])
    send(messages, "unheard")
    assert told == ["q"]


def test_a_parcel_is_due_until_it_is_settled(messages: Messages) -> None:
    now = time.time()
    for text in ("a", "b"):
        messages.change(partial(outbox.post, recipient="r", content={"text": text}, now=now))
    due = partial(outbox.due, recipient="r", most=10)
    first, second = messages.view(partial(due, now=now))
    messages.change(partial(outbox.put_off, parcel=first, until=now + 5))
    messages.change(partial(outbox.settle, parcel=second))
    assert messages.view(partial(due, now=now)) == []
    assert messages.view(partial(outbox.next_due, recipient="r")) == now + 5
    [again] = messages.view(partial(due, now=now + 5))
    assert (again.content, again.tries) == ({"text": "a"}, 1)
    messages.change(partial(outbox.forget, recipient="r"))
    assert messages.view(partial(outbox.next_due, recipient="r")) is None
