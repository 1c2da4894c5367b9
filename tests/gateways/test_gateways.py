"""Gateways beside the platform, on one port: what they answer, what they hand on, and what a kill costs."""

import contextlib
import http.client
import os
import signal
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError, ClientError

from clary.wire.listening import allow_connections
from tests.platform import Platform
from tests.programs import BUCKET, put, stored, wait_until
from tests.services.sagemaker.hosting.test_endpoints import Endpoint

GATEWAYS = 2
ASKERS = 4
SCRIPT = """
import os, time

def model_fn(model_dir):
    return open(model_dir + "/word.txt").read()

def input_fn(body, content_type):
    return body.decode() if isinstance(body, bytes) else body

def predict_fn(data, model):
    if data == "slowly":
        time.sleep(1)
    if data == "die":
        os._exit(7)
    return f"{model}:{os.getpid() if data == 'who' else data}"

def output_fn(prediction, accept):
    return prediction, "text/plain"
"""


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLARY_GATEWAYS", str(GATEWAYS))
        started = Platform(tmp_path_factory.mktemp("clary") / "state").up()
        yield started
        started.down()


@pytest.fixture(scope="module")
def served(platform: Platform) -> Endpoint:
    made = Endpoint(platform)
    described = made.create(made.config(("A", made.model("hello", SCRIPT), 1.0)))
    assert described["EndpointStatus"] == "InService", described.get("FailureReason")
    return made


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def gateways(platform: Platform) -> list[int]:
    """The pids of those that run: children of the platform's one child of the same program."""
    program = Path(f"/proc/{platform.pid}/cmdline").read_bytes()
    kept = [pid for pid in children(platform.pid) if Path(f"/proc/{pid}/cmdline").read_bytes() == program]
    return [pid for keeper in kept for pid in children(keeper)]


@contextlib.contextmanager
def stopped(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def signed(platform: Platform, method: str, path: str, service: str, body: bytes = b"") -> tuple[Any, ...]:
    """What `HTTPConnection.request` takes."""
    request = AWSRequest(method, platform.url + path, data=body, headers={"x-amz-content-sha256": "UNSIGNED-PAYLOAD"})
    SigV4Auth(Credentials(*platform.keys()), service, "us-east-1").add_auth(request)
    return method, path, body, dict(request.headers)


def connect(platform: Platform) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(urlsplit(platform.url).netloc, timeout=20)


def asked(connection: http.client.HTTPConnection, *request: Any) -> tuple[int, bytes]:
    connection.request(*request)
    answer = connection.getresponse()
    return answer.status, answer.read()


def test_gateways_answer_invocations_and_the_platform_all_else(platform: Platform, served: Endpoint) -> None:
    assert len(gateways(platform)) == GATEWAYS
    with stopped(platform.pid):
        runtime = platform.client("sagemaker-runtime", read_timeout=5)
        for _ in range(4):
            answer = runtime.invoke_endpoint(EndpointName=served.name, Body=b"you", ContentType="text/plain")
            assert (answer["Body"].read(), answer["InvokedProductionVariant"]) == (b"hello:you", "A")
    large = os.urandom(24 << 20)
    put(platform, "large", large)
    assert platform.client("s3").get_object(Bucket=BUCKET, Key="large")["Body"].read() == large
    # A path of S3's that reads like an invocation's.
    put(platform, "endpoints/a/invocations", "an object")
    assert stored(platform, "endpoints/") == {"a/invocations": "an object"}
    with pytest.raises(ClientError, match="Endpoint nowhere of account"):
        served.runtime.invoke_endpoint(EndpointName="nowhere", Body=b"")
    # One connection, of which a gateway answers until there is what it does not.
    invoke = signed(platform, "POST", f"/endpoints/{served.name}/invocations", "sagemaker", b"you")
    one = connect(platform)
    assert asked(one, *invoke) == (200, b"hello:you")
    status, listed = asked(one, *signed(platform, "GET", "/", "s3"))
    assert (status, BUCKET.encode() in listed) == (200, True)
    assert asked(one, *invoke) == (200, b"hello:you")
    forged = [*invoke[:3], {**invoke[3], "Authorization": invoke[3]["Authorization"][:-4] + "beef"}]
    assert asked(connect(platform), *forged)[0] == 403
    one.close()


class Load:
    """Calls from several threads; what became of each by its kind: `answered`, an error's code, or `lost`."""

    def __init__(self, platform: Platform, name: str) -> None:
        self._platform = platform
        self._name = name
        self._ending = threading.Event()
        self.outcomes: Counter[str] = Counter()
        self._threads = [threading.Thread(target=self._ask_on) for _ in range(ASKERS)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join()

    def wait_for_more(self, count: int = 20) -> None:
        """That are answered from now on."""
        before = self.outcomes["answered"]
        wait_until(lambda: self.outcomes["answered"] > before + count)

    def _ask_on(self) -> None:
        runtime = self._platform.client("sagemaker-runtime")
        while not self._ending.is_set():
            try:
                runtime.invoke_endpoint(EndpointName=self._name, Body=b"you", ContentType="text/plain")
                self.outcomes["answered"] += 1
            except ClientError as error:
                self.outcomes[error.response["Error"]["Code"]] += 1
            except BotoCoreError:
                self.outcomes["lost"] += 1


def test_a_killed_gateway_takes_only_what_it_held(platform: Platform, served: Endpoint) -> None:
    """Those in the middle of a call lose it. What waits to be accepted is answered by another."""
    kills = 3
    with Load(platform, served.name) as load:
        for _ in range(kills):
            load.wait_for_more()
            victim = gateways(platform)[0]
            os.kill(victim, signal.SIGKILL)
            wait_until(lambda victim=victim: len(left := gateways(platform)) == GATEWAYS and victim not in left)
        load.wait_for_more()
    assert set(load.outcomes) <= {"answered", "lost"}
    assert load.outcomes["lost"] <= kills * ASKERS

    with stopped(gateways(platform)[0]):
        answers = [connect(platform) for _ in range(20)]
        invoke = signed(platform, "POST", f"/endpoints/{served.name}/invocations", "sagemaker", b"you")
        for connection in answers:
            connection.request(*invoke)
        os.kill(gateways(platform)[0], signal.SIGKILL)
    assert [connection.getresponse().status for connection in answers] == [200] * 20


def test_a_dead_replica_is_passed_over_and_a_change_known_everywhere_when_it_returns(
    platform: Platform, served: Endpoint
) -> None:
    """Also to a gateway that hears nothing: it is replaced."""
    other = Endpoint(platform)
    other.create(other.config(("A", other.model("other", SCRIPT), 1.0), count=2))
    with Load(platform, other.name) as load:
        load.wait_for_more()
        with pytest.raises(other.runtime.exceptions.ModelError):
            other.ask("die")
        load.wait_for_more()
    # A replica that dies takes the calls that it held, and no other.
    assert set(load.outcomes) <= {"answered", "ModelError"}
    assert load.outcomes["ModelError"] <= ASKERS
    connections = [connect(platform) for _ in range(8)]
    invoke = signed(platform, "POST", f"/endpoints/{other.name}/invocations", "sagemaker", b"you")
    assert [asked(connection, *invoke)[1] for connection in connections] == [b"other:you"] * 8
    deaf = gateways(platform)[0]
    with contextlib.suppress(ProcessLookupError), stopped(deaf):
        other.sagemaker.delete_endpoint(EndpointName=other.name)
    statuses = []
    for connection in connections:
        with contextlib.suppress(ConnectionError):  # the deaf one's
            statuses.append(asked(connection, *invoke)[0])
    assert set(statuses) <= {400}
    assert asked(connect(platform), *invoke)[0] == 400
    wait_until(lambda: len(gateways(platform)) == GATEWAYS)
    assert deaf not in gateways(platform)
    assert served.ask("you") == "hello:you"


@pytest.mark.parametrize("silent", [1000, pytest.param(10_000, marks=pytest.mark.slow)])
def test_clients_that_are_slow_break_off_or_say_nothing_hold_nobody_up(
    platform: Platform, served: Endpoint, silent: int
) -> None:
    allow_connections()
    address = ("127.0.0.1", urlsplit(platform.url).port or 0)
    idle = [socket.create_connection(address) for _ in range(silent)]
    method, path, body, headers = signed(
        platform, "POST", f"/endpoints/{served.name}/invocations", "sagemaker", b"slowly"
    )
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    raw = (
        f"{method} {path} HTTP/1.1\r\nHost: {urlsplit(platform.url).netloc}\r\n{head}Content-Length: 6\r\n\r\n".encode()
    )
    cut = socket.create_connection(address)
    cut.sendall(raw + body[:3])
    cut.close()
    slow = socket.create_connection(address)
    slow.settimeout(20)
    slow.sendall(raw)
    for part in (body[:1], body[1:]):
        assert served.ask("you") == "hello:you"
        slow.sendall(part)
    assert b"hello:slowly" in slow.recv(4096)
    for connection in idle:
        connection.close()
    assert served.ask("you") == "hello:you"


def test_killed_with_its_gateways_under_load_the_platform_finds_its_replicas_again(
    platform: Platform, served: Endpoint
) -> None:
    url, old, who = platform.url, gateways(platform), served.ask("who")
    with Load(platform, served.name) as load:
        load.wait_for_more()
        platform.kill()
        platform.up()
        assert platform.url == url
        load.wait_for_more()
    # While it is away nobody listens; until its replicas are found the endpoint is unavailable.
    assert set(load.outcomes) <= {"answered", "lost", "ServiceUnavailable"}
    # They end by the end of their channel, and who reaps them then takes its time.
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in old))
    assert served.ask("who") == who
    with stopped(platform.pid):
        assert served.ask("you") == "hello:you"
