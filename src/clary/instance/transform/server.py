"""What the model server beside is asked: whether it is ready, how it wants to be asked, and for its answers.

"How Containers Serve Requests", https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-batch-code.html.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import time
from dataclasses import dataclass
from typing import Any

from clary.instance.layout import Layout
from clary.instance.network.address import ServerConnection
from clary.instance.spec import Transform
from clary.instance.vessel import ADDRESS

PING_TIMEOUT = 2.0
SOONEST, LATEST = 0.01, 0.5
"""Seconds between two pings; the later the rarer."""
BACKOFF = 0.1
"""Seconds before a request is sent again; doubled for each further time."""
CHUNK = 1024 * 1024
LARGEST_ANSWER = 512 << 20
"""Bytes: an answer is held in memory that is not the program's own."""
ERROR = 400
"""Statuses from here on are failures; from the next one on they are the server's own."""
SERVER_ERROR = 500


class Failed(Exception):
    """An object has no answer."""

    def __init__(self, kind: str, lines: list[str]) -> None:
        """`kind` is that of the job's FailureReason; the lines are written to its log."""
        super().__init__(kind, lines)
        self.kind, self.lines = kind, lines


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    """0 where there was none."""
    body: bytes
    """Or why there was none."""
    content_type: str = ""


class Chain:
    """The servers of a model's containers, as one lane asks them: each is given the answer of the one before it, and
    only the last is told what is accepted."""

    def __init__(self, addresses: list[str], transform: Transform) -> None:
        self._content_type = transform.content_type
        *before, last = addresses
        self._servers = [ModelServer(address, transform, "") for address in before]
        self._servers.append(ModelServer(last, transform, transform.accept))

    def invoke(self, body: bytes) -> bytes:
        """Raises `Failed`."""
        content_type = self._content_type
        for server in self._servers:
            body, content_type = server.invoke(body, content_type)
        return body


class ModelServer:
    """Of one lane: a connection is one's own."""

    def __init__(self, address: str, transform: Transform, accept: str) -> None:
        self._connection = ServerConnection(address, transform.timeout)
        self._retries = transform.retries
        # A body of any length is sent in chunks.
        self._chunked = transform.payload == 0
        wanted = {"Accept": accept, "Transfer-Encoding": "chunked" if self._chunked else ""}
        self._headers = {name: value for name, value in wanted.items() if value}

    def invoke(self, body: bytes, content_type: str) -> tuple[bytes, str]:
        """The answer and its content type. Raises `Failed`."""
        answer = self._post(body, content_type)
        for attempt in range(self._retries):
            if 0 < answer.status < SERVER_ERROR:
                break
            time.sleep(BACKOFF * 2**attempt)
            answer = self._post(body, content_type)
        if not 0 < answer.status < ERROR:
            raise _failed(answer)
        return answer.body, answer.content_type

    def _post(self, body: bytes, content_type: str) -> Answer:
        data: Any = body
        if self._chunked:
            data = (body[start : start + CHUNK] for start in range(0, len(body), CHUNK))
        headers = {**self._headers, **({"Content-Type": content_type} if content_type else {})}
        try:
            self._connection.request("POST", "/invocations", data, headers, encode_chunked=self._chunked)
            answer = self._connection.getresponse()
            read = answer.read(LARGEST_ANSWER + 1)
            if answer.length and len(read) <= LARGEST_ANSWER:
                raise http.client.IncompleteRead(read, answer.length)
        except (OSError, http.client.HTTPException) as error:
            # It begins anew on another connection.
            self._connection.close()
            return Answer(0, (str(error) or type(error).__name__).encode())
        if len(read) > LARGEST_ANSWER:
            self._connection.close()
            raise Failed("AlgorithmError", [f"The answer is larger than {LARGEST_ANSWER >> 20} MB"])
        return Answer(answer.status, read, answer.headers.get("Content-Type", ""))


def _failed(answer: Answer) -> Failed:
    text = answer.body.decode(errors="replace")
    if not answer.status:
        return Failed("InternalServerError", [f"Unable to get response from algorithm: {text}"])
    message = ["", "Message:", *text.splitlines()]
    if answer.status < SERVER_ERROR:
        return Failed("ClientError", [f"ClientError: {answer.status}", *message])
    return Failed("AlgorithmError", [f"Bad HTTP status received from algorithm: {answer.status}", *message])


def find_ready(layout: Layout, patience: float) -> str | None:
    """The address of the instance's server once it answers pings; None where it does not for so many seconds."""
    until, pause = time.monotonic() + patience, SOONEST
    while time.monotonic() < until:
        address = _address(layout)
        if _get(address, "/ping") is not None:
            return address
        time.sleep(pause)
        pause = min(pause * 1.2, LATEST)
    return None


def _address(layout: Layout) -> str:
    """A container of the machine's runtime has a port, which its runner tells."""
    with contextlib.suppress(FileNotFoundError), open(layout[ADDRESS], encoding="utf-8") as file:
        return file.read()
    return f"unix:{layout['run/server.sock']}"


def execution_parameters(address: str) -> dict[str, Any]:
    """What the server has to say of how it wants to be asked; most say nothing."""
    try:
        told = json.loads(_get(address, "/execution-parameters") or b"{}")
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _get(address: str, path: str) -> bytes | None:
    connection = ServerConnection(address, PING_TIMEOUT)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.read() if answer.status == http.HTTPStatus.OK else None
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
