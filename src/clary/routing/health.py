"""SageMaker's health check of a model server: GET /ping must answer 200 within two seconds."""

import http.client
import socket

from clary.routing.address import host_and_port, socket_path

PING_TIMEOUT = 2.0


class _Connection(http.client.HTTPConnection):
    """HTTP to an engine's address: `unix:/path` or `host:port`."""

    def __init__(self, address: str) -> None:
        super().__init__("localhost", timeout=PING_TIMEOUT)
        self._address = address

    def connect(self) -> None:
        with socket_path(self._address) as path:
            if path is None:
                self.sock = socket.create_connection(host_and_port(self._address), PING_TIMEOUT)
            else:
                self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                self.sock.settimeout(PING_TIMEOUT)
                self.sock.connect(path)


def answers_ping(address: str) -> bool:
    connection = _Connection(address)
    try:
        connection.request("GET", "/ping")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
