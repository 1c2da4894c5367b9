"""Ray Serve with one replica over an XGBoost model: POST / with CSV rows, answered with CSV.

python ray_serve.py MODEL
"""

import signal
import socket
import sys

import ray
import xgboost
from ray import serve
from starlette.requests import Request
from starlette.responses import PlainTextResponse


@serve.deployment(num_replicas=1, max_ongoing_requests=64)
class Abalone:
    def __init__(self, path: str) -> None:
        import numpy

        self._numpy = numpy
        self._booster = xgboost.Booster(model_file=path)

    async def __call__(self, request: Request) -> PlainTextResponse:
        rows = self._numpy.loadtxt((await request.body()).decode().splitlines(), delimiter=",", ndmin=2)
        rings = self._booster.inplace_predict(rows)
        return PlainTextResponse("\n".join(map(str, rings)))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


def main(model: str) -> None:
    port = free_port()
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, _node_ip_address="127.0.0.1")
    serve.start(http_options={"host": "127.0.0.1", "port": port, "access_log": False})
    serve.run(Abalone.bind(model))
    print(f"port {port}", flush=True)
    signal.pause()


if __name__ == "__main__":
    main(sys.argv[1])
