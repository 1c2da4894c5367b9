"""One exchange with a container by files: asynchronous inputs and outputs may be larger than memory."""

import http.client
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from clary.instance.network.address import ServerConnection

SLICE = 1 << 20


class NoAnswer(Exception):
    """The container cannot be reached, or broke off. The message says which."""


class TooLate(Exception):
    """The container did not answer in time."""


@dataclass(frozen=True, slots=True)
class Answered:
    status: int
    content_type: str


@dataclass(frozen=True, slots=True)
class Body:
    file: BinaryIO
    size: int


def exchange(
    address: str, path: str, body: Body, headers: Iterable[tuple[str, str]], answer: Path, deadline: float
) -> Answered:
    """POST the body and write the answer's to `answer`, until `deadline` (of `time.monotonic`)."""
    connection = ServerConnection(address, _left(deadline))
    try:
        sent = {**dict(headers), "content-length": str(body.size)}
        connection.request("POST", path, body=body.file, headers=sent)
        connection.sock.settimeout(_left(deadline))
        response = connection.getresponse()
        with answer.open("wb") as file:
            while chunk := response.read(SLICE):
                file.write(chunk)
                if connection.sock is not None:  # it is let go of at the answer's end
                    connection.sock.settimeout(_left(deadline))
        return Answered(response.status, response.headers.get("content-type", ""))
    except TimeoutError:
        raise TooLate from None
    except (OSError, http.client.HTTPException) as error:
        raise NoAnswer(str(error) or type(error).__name__) from None
    finally:
        connection.close()


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
