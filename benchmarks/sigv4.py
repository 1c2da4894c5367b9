"""What it costs to verify the signature of one InvokeEndpoint call, with its goal of 25 µs.

    python -m benchmarks.sigv4

Signed by botocore, headers as boto3 sends them, a body of 200 bytes. The best of many short rounds: a busy
machine interrupts some, not all.
"""

import time
import timeit
from hashlib import sha256

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from rich.console import Console
from rich.table import Table

from clary.wire.bodies import RequestBody
from clary.wire.credentials import Identity, KeyRing, TemporaryCredentials
from clary.wire.http import Headers, Request
from clary.wire.sigv4 import read_scope, verify

HOST = "127.0.0.1:7373"
PATH = "/endpoints/abalone/invocations"
BODY = b"0.455,0.365,0.095,0.514,0.2245,0.101,0.15\n" * 4 + b"1" * 32
ROUNDS, CALLS = 300, 100


class NoSocket:
    """The body is read elsewhere: nothing is measured of it."""

    def regulate(self) -> None: ...

    def send_continue(self) -> None: ...


def signed(keys: Identity | TemporaryCredentials) -> Request:
    token = keys.session_token if isinstance(keys, TemporaryCredentials) else None
    headers = {"Content-Type": "text/csv", "User-Agent": "Boto3/1.40", "amz-sdk-request": "attempt=1"}
    request = AWSRequest("POST", f"http://{HOST}{PATH}", data=BODY, headers=headers)
    SigV4Auth(Credentials(keys.access_key, keys.secret, token), "sagemaker", "us-east-1").add_auth(request)
    sent = [("host", HOST), ("content-length", str(len(BODY))), *request.headers.items()]
    return Request("POST", PATH, Headers(sent), RequestBody(NoSocket(), len(BODY), False))


def main() -> None:
    ring = KeyRing("AKIAEXAMPLEEXAMPLEKE", "s" * 40, b"k" * 32)
    table = Table("what", "µs per call")

    def row(name: str, keys: Identity | TemporaryCredentials) -> None:
        request = signed(keys)

        def once() -> None:
            presented = read_scope(request)
            assert presented is not None
            verify(request, presented, ring, time.time(), BODY)

        table.add_row(name, f"{min(timeit.repeat(once, number=CALLS, repeat=ROUNDS)) / CALLS * 1e6:.1f}")

    row("verify, the account's own key", ring.root)
    row("verify, temporary credentials", ring.issue("arn:aws:sts::123456789012:assumed-role/Role/session", 900))
    floor = min(timeit.repeat(lambda: sha256(BODY).hexdigest(), number=CALLS, repeat=ROUNDS)) / CALLS * 1e6
    table.add_row("of which the body's SHA-256", f"{floor:.1f}")
    Console().print(table)


if __name__ == "__main__":
    main()
