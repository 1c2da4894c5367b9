"""Asynchronous invocations: taken at once, answered when a replica is free, their answers objects of a bucket.

    InvokeEndpointAsync ─▶ api.py: a message in the endpoint's queue ─▶ 202, and where the answer will be
                                        │ arrivals
    hosting ─ route ─▶ pump.py: has a replica room? ─▶ work.py, on a thread: input ─▶ containers ─▶ output object
                                                          └─ one transaction: message gone, topic told, metrics

Requests outlive the platform and their replicas: one whose answer is not stored is received again. So a model may see
one twice, and an output is written whole or not at all, by the same name each time.
"""
