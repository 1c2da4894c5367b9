"""SageMaker's health check of a model server: GET /ping must answer 200 within two seconds."""

import http.client

from clary.instance.network.address import ServerConnection

PING_TIMEOUT = 2.0


def answers_ping(address: str) -> bool:
    connection = ServerConnection(address, PING_TIMEOUT)
    try:
        connection.request("GET", "/ping")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
