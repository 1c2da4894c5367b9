"""Messages on their way: queues that are received from, and deliveries that are tried until they are taken.

    send ─▶ queue.py: a row ─▶ receive: hidden for a while ─▶ remove; else it is seen again, or buried
                └─ arrivals.py: whoever waits for that queue looks again
    post ─▶ outbox.py: a row ─▶ due ─▶ settle, or put off

A queue is known by an id of its owner's choice (that of a record); what it is called and allows is `services/sqs`'s.
What is written within another room's transaction is part of that: a message is there if, and only if, what it tells of
has happened.
"""
