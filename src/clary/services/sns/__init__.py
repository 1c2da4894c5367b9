"""Amazon SNS: standard topics and their subscriptions of queues and of HTTP endpoints.

    Publish ─▶ publishing.py: whom does it concern (filters.py)? ─▶ queues: the message is there with the answer
      others ─▶ destination.py ┘                                 └▶ HTTP: the outbox ─▶ delivering.py ─▶ POST, again …

What is published is written in one transaction, to queues and outbox alike. Messages carry no signature: it would be
checked against a certificate of Amazon's. FIFO topics, and protocols that reach people or functions, are refused by
name.
"""

from clary.control.operations import Operations

operation = Operations("sns")
