"""Where a model server listens.

`CLARY_BIND` (`unix:/path`, `host:port`, or `fd:3` for a socket that is bound already) is the engine's word and comes
first; `SAGEMAKER_BIND_TO_PORT` is the container contract's; without either it is port 8080 of every interface.
"""

import os
import socket

BACKLOG = 2048


def listen() -> socket.socket:
    """A listening socket, which worker processes may share."""
    where = os.environ.get("CLARY_BIND") or f"0.0.0.0:{os.environ.get('SAGEMAKER_BIND_TO_PORT') or 8080}"
    if where.startswith("unix:"):
        path = where.removeprefix("unix:")
        if os.path.exists(path):
            os.unlink(path)  # A server that was killed leaves its socket behind.
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(path)
    elif where.startswith("fd:"):
        listening = socket.socket(fileno=int(where.removeprefix("fd:")))
    else:
        host, _, port = where.rpartition(":")
        listening = socket.create_server((host, int(port)))
    listening.listen(BACKLOG)
    listening.setblocking(False)
    return listening
