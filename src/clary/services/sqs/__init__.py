"""Amazon SQS: standard queues, whose messages `clary.messages` keeps.

    boto3, aws sqs ─▶ api.py (queues), sending.py, receiving.py ─▶ queues.py: a record ─▶ messages
    S3, topics     ─▶ destination.py ─────────────────────────────┘

FIFO queues are refused by name. Queues are reached by SQS's JSON protocol, which is what botocore publishes of it.
"""

from clary.control.operations import Operations

operation = Operations("sqs")
