"""SageMaker's health check of a model server: GET /ping must answer 200 within two seconds."""

import http.client
import os
import socket

PING_TIMEOUT = 2.0


class _Connection(http.client.HTTPConnection):
    """HTTP to an engine's address: `unix:/path` or `host:port`."""

    def __init__(self, address: str) -> None:
        super().__init__("localhost", timeout=PING_TIMEOUT)
        self._address = address

    def connect(self) -> None:
        scheme, _, where = self._address.partition(":")
        if scheme == "unix":
            # The directory is the instance's own: a link in it may lead to a socket that is not.
            if os.path.islink(where):
                raise ConnectionRefusedError(where)
            self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.sock.settimeout(PING_TIMEOUT)
            self.sock.connect(where)
        else:
            self.sock = socket.create_connection((scheme, int(where)), PING_TIMEOUT)


def answers_ping(address: str) -> bool:
    connection = _Connection(address)
    try:
        connection.request("GET", "/ping")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
